/* A function whose unlikely part is put elsewhere: it has two ranges, and inlined code in the one far away. */
volatile int sink;

static inline __attribute__((always_inline)) void report(int value)
{
    sink = value;
    sink = 3;
}

__attribute__((cold, noinline, noreturn)) void give_up(int value)
{
    for (;;)
        sink = value;
}

__attribute__((noinline)) int work(int value)
{
    for (int i = 0; i < value; i++) {
        sink = value;
        if (sink > 1000) {
            report(value); /* line 21 */
            give_up(value);
        }
    }
    return value + sink;
}

int main(int argc, char **argv)
{
    (void)argv;
    for (int i = 0; i < 100; i++)
        argc += work(argc);
    return argc;
}
