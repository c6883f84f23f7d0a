# SPDX-License-Identifier: MIT
# String work: builds, splits and counts made-up words, on `lines` lines.
BEGIN {
    srand(1)
    for (i = 0; i < lines; i++) {
        line = ""
        for (k = 0; k < 6; k++)
            line = line " w" int(rand() * 5000)
        n = split(line, words, " ")
        for (k = 1; k <= n; k++)
            count[words[k]]++
    }
    for (word in count)
        sum += count[word] * length(word)
    print sum, length(count)
}
