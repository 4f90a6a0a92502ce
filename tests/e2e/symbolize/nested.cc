// A chain of inlined functions in nested namespaces, classes and a lambda: debug information hangs below all of these.
volatile int sink;

namespace outermost
{
namespace inner
{
struct box {
    struct lid {
        static inline __attribute__((always_inline)) void close(int value)
        {
            sink = value;
            __asm__ volatile(".globl marker\nmarker:\n nop"); // line 13
            sink = value + 1;
        }
    };
    template <typename T> inline __attribute__((always_inline)) void shut(T value)
    {
        lid::close(value + 1); // line 19
    }
};
inline namespace v2
{
__attribute__((noinline)) void run(int value)
{
    auto work = [](int given) __attribute__((always_inline))
    {
        box made;
        made.shut<int>(given); // line 29
    };
    work(value); // line 31
    sink++;
}
} // namespace v2
} // namespace inner
} // namespace outermost

int main(int argc, char **)
{
    outermost::inner::run(argc);
}
