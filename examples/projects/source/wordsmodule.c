/* SPDX-License-Identifier: MIT */
/* The table as a module of Python: words.count("a b c") */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "table.h"

static struct table *table;

static PyObject *words_count(PyObject *self, PyObject *arguments)
{
    PyObject *list;

    (void)self;
    if (!PyArg_ParseTuple(arguments, "O!", &PyList_Type, &list))
        return NULL;
    for (Py_ssize_t i = 0; i < PyList_Size(list); i++) {
        const char *const word = PyUnicode_AsUTF8(PyList_GetItem(list, i));

        if (!word)
            return NULL;
        if (table_add(table, word) != 0)
            return PyErr_NoMemory();
    }
    return PyLong_FromUnsignedLong(table_count(table));
}

static PyMethodDef methods[] = {
    {"count", words_count, METH_VARARGS, "Adds words, says how many there are."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "words", NULL, -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_words(void)
{
    table = table_create();
    return table ? PyModule_Create(&module) : PyErr_NoMemory();
}
