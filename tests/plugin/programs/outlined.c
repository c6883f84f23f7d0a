/* SPDX-License-Identifier: MIT */
/* Frames linked by a call, in functions that use every register there is. */
// machine: x86_64
// flags: -fno-optimize-sibling-calls -Wl,-z,execstack -fplugin-arg-alloctrace-compact
// variants: -O0|-O1|-O2|-O3|-Os|-Og|-O2 -static|-O2 -flto|-O2 -fPIC|-O2 -fPIC -fno-plt|-O2 -fno-pie -no-pie|-O2 -masm=intel|-O2 -masm=intel -fPIC|-O2 -mcmodel=medium -fno-pie -no-pie|-O2 -mno-red-zone|-O2 -fomit-frame-pointer -fcf-protection|-O2 -fsplit-stack|-O2 -fpatchable-function-entry=8|-O2 -mindirect-branch=thunk -fcf-protection=none|-O2 -fzero-call-used-regs=all|-O2 -mavx2 -fno-omit-frame-pointer|-O2 -Wall -Wextra
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static volatile int zero;

struct wide {
    long n[5];
};

__attribute__((noipa)) static long allocate(long n)
{
    char *p = malloc(n); /* @allocate */

    p[0] = zero;
    n += p[0];
    free(p);
    return n;
}

/* Six arguments in general registers, eight in vectors', more in memory. */
__attribute__((noipa)) double full(long a, long b, long c, long d, long e,
                                   long f, double g, double h, double i,
                                   double j, double k, double l, double m,
                                   double n, long o, double p)
{
    long sum = a + 2 * b + 3 * c + 5 * d + 7 * e + 11 * f + 13 * o;
    double more = g + 2 * h + 3 * i + 5 * j + 7 * k + 11 * l + 13 * m;

    more += 17 * n + 19 * p;
    sum += allocate(a + 1); /* @full */
    return sum + more + (a ^ b ^ c ^ d ^ e ^ f ^ o);
}

/* al says whether there are arguments in vector registers. */
__attribute__((noipa)) double various(int n, ...)
{
    va_list list;
    double sum = 0;

    va_start(list, n);
    for (int i = 0; i < n; i++) {
        sum = 2 * sum + va_arg(list, long);
        sum = 2 * sum + va_arg(list, double);
    }
    va_end(list);
    sum += allocate(n + 1); /* @various */
    return sum * 2 + n;
}

/* The result's address comes as an argument and goes back in rax. */
__attribute__((noipa)) struct wide by_memory(struct wide w, int n)
{
    struct wide result = w;

    for (int i = 0; i < 5; i++)
        result.n[i] += n * i + w.n[4 - i];
    result.n[1] += allocate(n); /* @by_memory */
    result.n[2] ^= w.n[0] + w.n[1];
    result.n[3] ^= w.n[2] + w.n[3];
    return result;
}

/* rax and rdx are both needed for what is returned. */
__attribute__((noipa)) unsigned __int128 pair(unsigned __int128 n, long a,
                                              long b, long c, long d)
{
    n = n * 1000003 + a;
    n = n * 1000003 + b;
    n = n * 1000003 + c;
    n = n * 1000003 + d;
    n += allocate(a); /* @pair */
    return n * (a + b) + (c ^ d) + (a & c);
}

/* More is alive across the link than there are registers. */
__attribute__((noipa)) long pressure(const long *from, long n)
{
    long a = from[0], b = from[1], c = from[2], d = from[3], e = from[4];
    long f = from[5], g = from[6], h = from[7], i = from[8], j = from[9];
    long k = from[10], l = from[11], m = from[12], o = from[13];
    long sum = a * b + c * d + e * f + g * h + i * j + k * l + m * o;

    sum += allocate(n); /* @ahead */
    for (long turn = 1; turn <= n; turn++) {
        sum += allocate(turn) * a; /* @pressure */
        a += b ^ o, b += c ^ a, c += d ^ b, d += e ^ c, e += f ^ d;
        f += g ^ e, g += h ^ f, h += i ^ g, i += j ^ h, j += k ^ i;
        k += l ^ j, l += m ^ k, m += o ^ l, o += a ^ m;
    }
    return sum + a + b + c + d + e + f + g + h + i + j + k + l + m + o;
}

/* The arguments on the stack are found through r10, as the stack pointer is
 * moved to a multiple of 64. */
__attribute__((noipa)) long aligned(long a, long b, long c, long d, long e,
                                    long f, long g, long h)
{
    long buffer[16] __attribute__((aligned(64)));
    long room[a + 1];

    for (int i = 0; i < 16; i++)
        buffer[i] = a * i + b + zero;
    room[zero] = c + d;
    __asm__ volatile("" : : "r"(buffer), "r"(room) : "memory");
    c += allocate(a); /* @aligned */
    return (buffer[3] + buffer[c & 15] + room[0] + e * f + g * 100 +
            h * 1000 + ((long)buffer & 63));
}

/* Another convention: rcx, rdx, r8, r9. */
__attribute__((noipa, ms_abi)) long foreign(long a, double b, long c, long d,
                                            long e, long f)
{
    long sum = a + 2 * c + 3 * d + 5 * e + 7 * f + (long)(11 * b);

    sum ^= a * c + d * e;
    sum += allocate(a); /* @foreign */
    sum ^= c * d + e * f;
    return sum + (a ^ c ^ d ^ e ^ f);
}

__attribute__((noipa)) static long apply(long (*call)(long, long), long n)
{
    return call(n, n + 1) + zero; /* @apply */
}

/* The enclosing function's variables are found through r10. */
__attribute__((noipa)) long outer(long a, long b)
{
    long x = a + zero, y = b + zero;

    __attribute__((noipa)) long nested(long m, long n)
    {
        long sum = x * 3 + y * 5 + m * 7 + n * 11;

        x += m + sum % 7;
        y += n + sum % 5;
        sum += allocate(m); /* @nested */
        sum += x * 13 + y * 17;
        sum ^= x * n + y * m;
        x++;
        return sum;
    }

    __attribute__((noipa)) long wider(long m, long n)
    {
        long buffer[8] __attribute__((aligned(64)));

        for (int i = 0; i < 8; i++)
            buffer[i] = x * i + y + m;
        __asm__ volatile("" : : "r"(buffer) : "memory");
        x += allocate(n); /* @wider */
        y -= buffer[3] + ((long)buffer & 63);
        return buffer[x & 7] * 2 + buffer[y & 7];
    }

    long sum = nested(1, 2); /* @straight */

    sum += apply(nested, 3); /* @pointed */
    sum += wider(4, 5); /* @wide */
    sum += apply(wider, 6); /* @wide_pointed */
    return sum * 2 + x + y;
}

/* What is seldom done is linked by a call of its own, in a loop. */
__attribute__((noipa)) long loops(long n)
{
    long sum = zero;

    for (long i = 0; i < n; i++) {
        sum = sum * 3 + i;
        sum ^= sum >> 5;
        if (__builtin_expect(i == 2, 0))
            sum += allocate(i); /* @seldom */
        sum += (sum & 7) * i;
    }
    for (long i = 0; i < 2; i++)
        sum += allocate(i + 3); /* @often */
    return sum;
}

int main(void)
{
    static const long numbers[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29,
                                   31, 37, 41, 43};
    struct wide w = {{1, 2, 3, 4, 5}};
    unsigned __int128 wide;
    double many;

    /* On one line, for GCC says different ones of a call that has several. */
    many = full(1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 7, 8, 7, .5); /* @m_full */
    printf("%.1f\n", many);
    printf("%.1f\n", various(3, 1L, .5, 2L, .25, 3L, 1.)); /* @m_various */
    printf("%.1f\n", various(0)); /* @m_none */
    w = by_memory(w, 10); /* @m_memory */
    printf("%ld %ld %ld %ld %ld\n", w.n[0], w.n[1], w.n[2], w.n[3], w.n[4]);
    wide = pair(((unsigned __int128)1 << 64) + 5, 2, 3, 4, 5); /* @m_pair */
    printf("%llx %llx\n", (unsigned long long)(wide >> 64),
           (unsigned long long)wide);
    printf("%ld\n", pressure(numbers, 2)); /* @m_pressure */
    printf("%ld\n", aligned(1, 2, 3, 4, 5, 6, 7, 8)); /* @m_aligned */
    printf("%ld\n", foreign(1, 2.5, 3, 4, 5, 6)); /* @m_foreign */
    printf("%ld\n", outer(100, 200)); /* @m_outer */
    printf("%ld\n", loops(4)); /* @m_loops */
    return 0;
}
// expect: malloc allocate@allocate < full@full < main@m_full
// expect: malloc allocate@allocate < various@various < main@m_various
// expect: malloc allocate@allocate < various@various < main@m_none
// expect: malloc allocate@allocate < by_memory@by_memory < main@m_memory
// expect: malloc allocate@allocate < pair@pair < main@m_pair
// expect: malloc allocate@allocate < pressure@ahead < main@m_pressure
// expect: malloc allocate@allocate < pressure@pressure < main@m_pressure
// expect: malloc allocate@allocate < pressure@pressure < main@m_pressure
// expect: malloc allocate@allocate < aligned@aligned < main@m_aligned
// expect: malloc allocate@allocate < foreign@foreign < main@m_foreign
// expect: malloc allocate@allocate < nested@nested < outer@straight < main@m_outer
// expect: malloc allocate@allocate < nested@nested < apply@apply < outer@pointed < main@m_outer
// expect: malloc allocate@allocate < wider@wider < outer@wide < main@m_outer
// expect: malloc allocate@allocate < wider@wider < apply@apply < outer@wide_pointed < main@m_outer
// expect: malloc allocate@allocate < loops@seldom < main@m_loops
// expect: malloc allocate@allocate < loops@often < main@m_loops
// expect: malloc allocate@allocate < loops@often < main@m_loops
// What the functions compute, as the program does that is compiled without
// the plugin at -O0.
// expect: 599.5
// expect: 139.0
// expect: 2.0
// expect: 6 26 25 35 46
// expect: cbb5c84fc6cb4e9a 85546c12b9d30bde
// expect: 15770
// expect: 8748
// expect: 82
// expect: 31159
// expect: 63
// asm[-O2]: full: call\t__alloctrace_link
// asm[-O2]: various: call\t__alloctrace_link
// asm[-O2]: by_memory: call\t__alloctrace_link
// asm[-O2]: pair: call\t__alloctrace_link
// asm[-O2]: pressure: call\t__alloctrace_link
// asm[-O2]: aligned: call\t__alloctrace_link
// asm[-O2]: foreign: call\t__alloctrace_link
// asm[-O2]: outer: call\t__alloctrace_link
// asm[-O2]: nested\.\d+: call\t__alloctrace_link
// asm[-O2]: wider\.\d+: call\t__alloctrace_link
// asm[-O2]: loops: call\t__alloctrace_link
