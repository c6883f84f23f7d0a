/* SPDX-License-Identifier: MIT */
/*
 * Errors: the texts of the codes, and the one way to fill in a struct
 * alloctrace_error. At the bottom of the data flow; everything else calls it.
 */
#include <stdio.h>

#include "model.h"

int at_fault_list(struct alloctrace_error *error, int code, uint64_t offset,
                  const char *format, va_list arguments)
{
    if (!error)
        return code;
    error->code = code;
    error->offset = offset;
    vsnprintf(error->message, sizeof error->message, format, arguments);
    return code;
}

int at_fault(struct alloctrace_error *error, int code, uint64_t offset,
             const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    at_fault_list(error, code, offset, format, arguments);
    va_end(arguments);
    return code;
}

int at_fault_memory(struct alloctrace_error *error)
{
    return at_fault(error, ALLOCTRACE_ENO_MEMORY, ALLOCTRACE_NO_OFFSET,
                    "out of memory");
}

const char *alloctrace_strerror(int code)
{
    switch (code) {
    case ALLOCTRACE_OK:
        return "no error";
#define ERROR_TEXT(NAME, value, text) \
    case value:                       \
        return text;
        ALLOCTRACE_ERRORS(ERROR_TEXT)
#undef ERROR_TEXT
    default:
        return "unknown error";
    }
}
