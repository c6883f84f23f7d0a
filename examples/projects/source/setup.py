# SPDX-License-Identifier: MIT
# CC=alloctrace-gcc python3 setup.py build_ext --inplace
from setuptools import Extension, setup

setup(name="words", version="1",
      ext_modules=[Extension("words", ["wordsmodule.c", "table.c"])])
