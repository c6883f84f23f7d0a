/* SPDX-License-Identifier: MIT */
/* Objective-C++: methods are called by libobjc's look-up, not by it. */
// flags: -fno-optimize-sibling-calls
#include <objc/objc.h>
#include <objc/runtime.h>
#include <stdlib.h>

__attribute__((objc_root_class)) @interface Node
{
    Class isa;
}
+ (id)alloc;
- (void *)bytes:(int)n more:(int)m;
@end

@interface Node (Extra)
+ (void *)extra;
@end

static void *volatile last;

static __attribute__((noinline)) void *allocate(int n)
{
    last = malloc(n); /* @malloc */
    return last;
}

@implementation Node
+ (id)alloc
{
    free(allocate(3)); /* @class */
    return class_createInstance(self, 0);
}

- (void *)bytes:(int)n more:(int)m
{
    return allocate(n + m); /* @instance */
}
@end

@implementation Node (Extra)
+ (void *)extra
{
    return allocate(5); /* @category */
}
@end

int main(void)
{
    Node *node = [Node alloc]; /* @one */

    free([node bytes: 1 more: 2]); /* @two */
    free([Node extra]); /* @three */
    return 0;
}
// expect: malloc allocate(int)@malloc < +[Node alloc]@class < main@one
// expect: malloc allocate(int)@malloc < -[Node bytes:more:]@instance < main@two
// expect: malloc allocate(int)@malloc < +[Node(Extra) extra]@category < main@three
