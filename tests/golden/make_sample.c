// make_sample STORE: the store of tests/unit/report/sample_store.h as a file, for the shell tests.
#include "tests/unit/report/sample_store.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        return fprintf(stderr, "usage: make_sample STORE\n"), 2;
    sample__make(argv[1]);
    return 0;
}
