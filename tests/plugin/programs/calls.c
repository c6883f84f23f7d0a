/* SPDX-License-Identifier: MIT */
/* Plain calls: inlined or not, recursive, from switches and loops. */
// flags: -fno-optimize-sibling-calls
#include <stdio.h>
#include <stdlib.h>

static volatile int zero;
static void *volatile last; /* so that no block can be optimised away */

static inline __attribute__((always_inline)) void *innermost(size_t n)
{
    return malloc(n + 1); /* @innermost */
}

static inline void *middle(size_t n)
{
    char *p = innermost(n); /* @middle */

    p[0] = zero;
    last = p;
    return p;
}

__attribute__((noinline)) static void *apart(size_t n)
{
    char *p = middle(n); /* @apart */

    p[0]++;
    return p;
}

__attribute__((noinline)) static int recursive(int n)
{
    char *p;

    if (n == 0) {
        p = apart(2); /* @bottom */
        free(p);
        return 1;
    }
    return recursive(n - 1) + 1; /* @again */
}

__attribute__((noinline)) static int choose(int which)
{
    char *p = NULL;

    switch (which) {
    case 0:
        return 7;
    case 1:
        p = apart(10); /* @one */
        break;
    case 2:
        p = apart(20); /* @two */
        /* fall through */
    case 3:
        free(p);
        p = apart(30); /* @three */
        if (zero == 0)
            break;
        free(p);
        return 3;
    default:
        for (int i = 0; i < 2; i++) {
            free(p);
            p = apart(40 + i); /* @four */
        }
    }
    free(p);
    return 0;
}

int main(void)
{
    int sum = recursive(2); /* @recursive */

    for (int i = 0; i < 5; i++)
        sum += choose(i + zero); /* @choose */
    free(middle(5)); /* @direct */
    printf("%d\n", sum);
    return 0;
}
// expect: malloc innermost@innermost < middle@middle < apart@apart < recursive@bottom < recursive@again < recursive@again < main@recursive
// expect: malloc innermost@innermost < middle@middle < apart@apart < choose@one < main@choose
// expect: malloc innermost@innermost < middle@middle < apart@apart < choose@two < main@choose
// expect: malloc innermost@innermost < middle@middle < apart@apart < choose@three < main@choose
// expect: malloc innermost@innermost < middle@middle < apart@apart < choose@three < main@choose
// expect: malloc innermost@innermost < middle@middle < apart@apart < choose@four < main@choose
// expect: malloc innermost@innermost < middle@middle < apart@apart < choose@four < main@choose
// expect: malloc innermost@innermost < middle@middle < main@direct
// expect: 10
