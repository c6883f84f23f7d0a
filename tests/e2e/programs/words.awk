# SPDX-License-Identifier: MIT
# Allocates as text processing does: counts words, splits and joins lines,
# substitutes, formats and sorts. Prints the ten longest of the frequent words.

function remember(word) {
    count[word]++
    if (count[word] == 1)
        order[++n] = word
}

{
    line = tolower($0)
    gsub(/[^a-z ]+/, " ", line)
    n_parts = split(line, part, / +/)
    for (i = 1; i <= n_parts; i++)
        if (part[i] != "")
            remember(part[i])
    joined[NR % 50] = joined[NR % 50] " " substr(line, 1, 20)
    pairs[part[1], part[2]] = sprintf("%05d:%s", NR, line)
}

END {
    for (i = 1; i <= n; i++)
        if (count[order[i]] >= 5)
            frequent[i] = sprintf("%03d %s", length(order[i]), order[i])
    n_sorted = asort(frequent, sorted)
    for (i = n_sorted; i > n_sorted - 10 && i > 0; i--)
        print substr(sorted[i], 5), count[substr(sorted[i], 5)]
    for (i in pairs)
        total += length(pairs[i])
    print NR, n, length(pairs), total, length(joined[7])
}
