/* SPDX-License-Identifier: MIT */
/* tree DEPTH: builds a binary tree by two calls of one function, so that each
 * of its 2^DEPTH - 1 nodes has a call path of its own, and takes each subtree
 * down again as soon as it is complete: no more than 2 * DEPTH nodes are live
 * at once, and all that grows is what is kept of the paths. */
#include <stdlib.h>

struct node {
    struct node *left;
    struct node *right;
};

static __attribute__((noipa)) struct node *build(int depth)
{
    struct node *const node = malloc(sizeof *node); /* @NODE */

    if (!node)
        abort();
    if (depth > 1) {
        node->left = build(depth - 1); /* @LEFT */
        free(node->left);
        node->right = build(depth - 1); /* @RIGHT */
        free(node->right);
    }
    return node;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    free(build(atoi(argv[1]))); /* @MAIN */
    return 0;
}
