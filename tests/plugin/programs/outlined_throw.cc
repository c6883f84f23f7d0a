/* SPDX-License-Identifier: MIT */
/* C++: exceptions through frames that were linked by a call. */
// machine: x86_64
// flags: -fno-optimize-sibling-calls -fno-ipa-icf -fplugin-arg-alloctrace-compact
// variants: -O0|-O1|-O2|-O3|-Os|-Og|-O2 -static|-O2 -flto|-O2 -fPIC|-O2 -fno-pie -no-pie|-O2 -masm=intel|-O2 -fnon-call-exceptions|-O2 -fno-dwarf2-cfi-asm|-O2 -fcf-protection -fstack-protector-all|-O2 -fsplit-stack|-O2 -fzero-call-used-regs=all|-O2 -Wall -Wextra
#include <cstdio>
#include <cstdlib>

static volatile int zero;

__attribute__((noipa)) static long allocate(long n)
{
    char *p = (char *)malloc(n); /* @allocate */

    p[0] = zero;
    n += p[0];
    free(p);
    return n;
}

struct guard {
    long n;

    ~guard() { n = allocate(n); /* @destructor */ }
};

/* Arguments in registers of both kinds, and a destructor that must see them. */
__attribute__((noipa)) long throws(long a, double b, long c, double d, long e)
{
    guard kept = {a + 40};
    long sum = a * 3 + c * 5 + e * 7 + (long)(b * 2 + d * 4);

    sum += allocate(a); /* @throws */
    sum ^= a * c + e;
    if (a > c)
        throw sum * 100 + a + (long)(b + d);
    return sum + a * c * e + (long)(b * d);
} /* @end */

extern "C" __attribute__((noipa)) long catches(long a, long b, long c,
                                               double d)
{
    long sum = a * 3 + b * 5 + c * 7;
    long more = a ^ (b * 3) ^ (c * 5);

    for (long i = 0; i < 3; i++) {
        try {
            sum += throws(a + i, d, b, d * 2, c); /* @try */
        } catch (long caught) {
            sum += caught * (i + 1) + allocate(i); /* @catch */
            more ^= sum;
        }
    }
    sum += allocate(a + b); /* @after */
    return sum * 3 + more + (long)(d * 8);
}

struct base {
    virtual ~base() {}
    virtual long method(long a, long b, long c) = 0;
};

struct derived : base {
    long x, y;

    derived(long a, long b) : x(a), y(b) {}
    __attribute__((noipa)) long method(long a, long b, long c) override
    {
        long sum = x * 3 + y * 5 + a * 7 + b * 11 + c * 13;

        x += sum % 7;
        y += sum % 5;
        sum += catches(a, b, c, x / 2.); /* @method */
        sum ^= x * a + y * b;
        return sum * 2 + x + y + c;
    }
};

int main()
{
    derived object(5, 6);
    base *any = &object;

    printf("%ld\n", catches(2, 3, 4, 1.5)); /* @m_catches */
    printf("%ld\n", any->method(1, 2, 3)); /* @m_method */
}
// expect: malloc allocate(long)@allocate < throws(long, double, long, double, long)@throws < catches@try < main@m_catches
// expect: malloc allocate(long)@allocate < guard::~guard()@destructor < throws(long, double, long, double, long)@end < catches@try < main@m_catches
// expect: malloc allocate(long)@allocate < throws(long, double, long, double, long)@throws < catches@try < main@m_catches
// expect: malloc allocate(long)@allocate < guard::~guard()@destructor < throws(long, double, long, double, long)@end < catches@try < main@m_catches
// expect: malloc allocate(long)@allocate < throws(long, double, long, double, long)@throws < catches@try < main@m_catches
// expect: malloc allocate(long)@allocate < guard::~guard()@destructor < throws(long, double, long, double, long)@end < catches@try < main@m_catches
// expect: malloc allocate(long)@allocate < catches@catch < main@m_catches
// expect: malloc allocate(long)@allocate < catches@after < main@m_catches
// expect: malloc allocate(long)@allocate < throws(long, double, long, double, long)@throws < catches@try < derived::method(long, long, long)@method < main@m_method
// expect: malloc allocate(long)@allocate < guard::~guard()@destructor < throws(long, double, long, double, long)@end < catches@try < derived::method(long, long, long)@method < main@m_method
// expect: malloc allocate(long)@allocate < throws(long, double, long, double, long)@throws < catches@try < derived::method(long, long, long)@method < main@m_method
// expect: malloc allocate(long)@allocate < guard::~guard()@destructor < throws(long, double, long, double, long)@end < catches@try < derived::method(long, long, long)@method < main@m_method
// expect: malloc allocate(long)@allocate < throws(long, double, long, double, long)@throws < catches@try < derived::method(long, long, long)@method < main@m_method
// expect: malloc allocate(long)@allocate < guard::~guard()@destructor < throws(long, double, long, double, long)@end < catches@try < derived::method(long, long, long)@method < main@m_method
// expect: malloc allocate(long)@allocate < catches@catch < derived::method(long, long, long)@method < main@m_method
// expect: malloc allocate(long)@allocate < catches@after < derived::method(long, long, long)@method < main@m_method
// What the functions compute, as the program does that is compiled without
// the plugin at -O0.
// expect: 109166
// expect: 156022
// asm[-O2]: _Z6throwsldldl: call\t__alloctrace_link
// asm[-O2]: catches: call\t__alloctrace_link
// asm[-O2]: _ZN7derived6methodElll: call\t__alloctrace_link
