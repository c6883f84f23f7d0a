/* SPDX-License-Identifier: MIT */
/* Names that fit: what is left out of them, and in which order. */
#include <string.h>

#include "check_alloctrace.h"
#include "name.h"

static void expect(const char *name, size_t room, const char *fitting)
{
    char text[256];

    name_fit(name, room, text, sizeof text);
    ck_assert_str_eq(text, fitting);
    ck_assert_uint_le(strlen(text), room);
}

START_TEST(what_fits_is_left_alone)
{
    expect("main", 4, "main");
    expect("std::map<int, Foo>::put(int, Foo)", 33,
           "std::map<int, Foo>::put(int, Foo)");
    expect("", 0, "");
}
END_TEST

START_TEST(parameters_go_first)
{
    expect("std::map<int, Foo>::put(int, Foo)", 32, "std::map<int, Foo>::put");
    expect("void std::sort<int*>(int*, int*)", 31, "std::sort<int*>");
    expect("std::pair<int, int> make(int)", 28, "make");
    expect("f(void (*)(int), std::map<int, int>) const", 40, "f");
}
END_TEST

START_TEST(then_arguments_of_templates)
{
    expect("std::map<int, std::pair<A, B> >::put(int)", 22,
           "std::map<...>::put");
    expect("void A<int>::f<std::pair<B, C> >(D)", 14, "A<...>::f<...>");
}
END_TEST

START_TEST(then_the_beginning)
{
    expect("outer::inner::function_of_some_length", 12, "...me_length");
    expect("std::map<int, Foo>::put(int, Foo)", 10, "...::put");
    expect("abcdef", 3, "abc");
    expect("abcdef", 0, "");
}
END_TEST

START_TEST(lambdas_and_anonymous_namespaces_are_names)
{
    expect("main::{lambda(int, char)#1}::operator()(int, char) const", 40,
           "main::{lambda(int, char)#1}::operator()");
    expect("main::{lambda(int, char)#1}::operator()(int, char) const", 38,
           "main::{lambda(int, char)#1}");
    expect("main(int)::{lambda(int, char const*)#1}::operator()(int) const", 16,
           "main::{lambda#1}");
    expect("a::(anonymous namespace)::make<int, char>(int)", 35,
           "a::(anonymous namespace)::make<...>");
    expect("A<int>::f()::{lambda()#1}::operator()() const", 25,
           "A<int>::f()::{lambda()#1}");
    expect("(anonymous namespace)::make(std::vector<int>)", 40,
           "(anonymous namespace)::make");
    expect("a::(anonymous namespace)::make(int)", 34,
           "a::(anonymous namespace)::make");
}
END_TEST

START_TEST(signs_of_operators_are_no_brackets)
{
    expect("bool operator< <int>(A<int> const&, int)", 39, "operator< <int>");
    expect("A<int>& A<int>::operator<<(int)", 18, "A<int>::operator<<");
    expect("A<int, B>& A<int, B>::operator<<(int)", 18, "A<...>::operator<<");
}
END_TEST

CHECK_MAIN("name", what_fits_is_left_alone, parameters_go_first,
           then_arguments_of_templates, then_the_beginning,
           lambdas_and_anonymous_namespaces_are_names,
           signs_of_operators_are_no_brackets)
