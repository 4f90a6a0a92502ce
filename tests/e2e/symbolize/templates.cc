// Names that are hard to say: packs, lambdas, operators, conversions, ABI tags.
#include <functional>
#include <string>
#include <vector>
namespace app
{
struct [[gnu::abi_tag("v7")]] tagged
{
    int x;
};
__attribute__((noinline)) tagged make(int v)
{
    __asm__ volatile("");
    return tagged{v};
}
template <typename... Ts> struct pack {
    template <int N> static __attribute__((noinline)) int pick(Ts... v)
    {
        __asm__ volatile("" ::"r"(N));
        return N + sizeof...(v);
    }
};
auto lam = [](auto x) __attribute__((noinline))
{
    __asm__ volatile("");
    return x + 1;
};
struct op {
    __attribute__((noinline)) int operator()(const std::string &s, std::vector<std::pair<int, op *>> v) const
    {
        __asm__ volatile("");
        return (int)(s.size() + v.size());
    }
    operator bool() const;
};
__attribute__((noinline)) op::operator bool() const
{
    __asm__ volatile("");
    return true;
}
} // namespace app
int main(int c, char **)
{
    app::op o;
    return app::make(c).x + app::pack<int, char>::pick<3>(c, 'a') + app::lam(c) + o(std::string("x"), {}) + (bool)o;
}
