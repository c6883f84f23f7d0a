// SPDX-License-Identifier: MIT
// lines WORD...: the same in C++, with a table in C and one of the library.
#include <iostream>
#include <memory>
#include <set>
#include <string>

#include "table.h"

int main(int argc, char **argv)
{
    auto seen = std::make_unique<std::set<std::string>>();
    table *const table = table_create();

    for (int i = 1; table && i < argc; i++) {
        seen->insert(std::string(64, ' ') + argv[i]);
        table_add(table, argv[i]);
    }
    std::cout << seen->size() << " of " << (table ? table_count(table) : 0)
              << " words\n";
    seen.release(); // still there at the end, to be seen in the dump
    return 0;
}
