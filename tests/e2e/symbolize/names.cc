// Names of every language, some of them with the help of asm labels; each marker is the address to ask for.
#define MARK(name) __asm__ volatile(".globl " name "\n" name ":\n nop")

namespace outer
{
namespace
{
__attribute__((noinline)) void hidden(int value)
{
    MARK("mark_hidden");
    __asm__ volatile("" ::"r"(value));
}
} // namespace
template <typename T> struct box {
    T value;
    __attribute__((noinline)) box(T start) : value(start)
    {
        MARK("mark_constructor");
    }
};
void show(int value)
{
    hidden(value);
    box<int> made(value);
}
} // namespace outer

extern "C" {
__attribute__((noinline)) void legacy() __asm__("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE");
__attribute__((noinline)) void modern() __asm__("_RNvNtCs1234_7mycrate3foo3bar");
__attribute__((noinline)) void dlang() __asm__("_D3app5serveFiZv");
__attribute__((noinline)) void evil();
void legacy()
{
    MARK("mark_legacy");
}
void modern()
{
    MARK("mark_modern");
}
void dlang()
{
    MARK("mark_dlang");
}
void evil()
{
    MARK("mark_evil");
}
}

int main(int argc, char **)
{
    outer::show(argc);
    legacy();
    modern();
    dlang();
    evil();
}
