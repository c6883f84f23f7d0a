# SPDX-License-Identifier: MIT
alloctrace_check(arguments alloctrace_install)
alloctrace_check(words alloctrace_install)
alloctrace_check(compiler alloctrace_install)
