/* A chain whose lines are known: outer calls middle calls leaf, both inlined; the address of marker is in leaf. */
volatile int sink;

static inline __attribute__((always_inline)) void leaf(int value)
{
    sink = value; /* line 6 */
    __asm__ volatile(".globl marker\nmarker:\n nop");
    sink = value + 1;
}

static inline __attribute__((always_inline)) void middle(int value)
{
    leaf(value + sink); /* line 13 */
}

__attribute__((noinline)) void outer(int value)
{
    middle(value); /* line 18 */
    sink++;
}

int main(int argc, char **argv)
{
    (void)argv;
    outer(argc);
    return 0;
}
