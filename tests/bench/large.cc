// A large C++ program with heavy inlining, to measure the naming of addresses with: the Makefile compiles this file
// many times, each with another PART. The types of a part are its own, so that no two parts share a function, and their
// lambdas end up inlined ten and more levels deep in what the standard library makes of them.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

struct part { // of the program; each adds itself to the list before main
    explicit part(long (*function)(long)) : run(function), next(first)
    {
        first = this;
    }
    long (*run)(long);
    part *next;
    static part *first;
};

namespace
{

template <int N> struct item {
    int id;
    std::string name;
    double weight;
    bool operator<(const item &other) const
    {
        return std::tie(name, id) < std::tie(other.name, other.id);
    }
    bool operator==(const item &other) const
    {
        return id == other.id && name == other.name;
    }
};

template <int N> struct hash {
    size_t operator()(const item<N> &item) const
    {
        return std::hash<std::string>()(item.name) ^ std::hash<int>()(item.id);
    }
};

template <int N> std::vector<item<N>> make(long count)
{
    std::vector<item<N>> items;
    for (long i = 0; i < count; i++)
        items.push_back({static_cast<int>(i * 7919 % 101), std::to_string(i * N), i / 3.0});
    return items;
}

template <int N> long sort(std::vector<item<N>> items)
{
    std::sort(items.begin(), items.end());
    std::stable_sort(items.begin(), items.end(), [](const auto &a, const auto &b) { return a.weight < b.weight; });
    std::nth_element(items.begin(), items.begin() + items.size() / 2, items.end(),
                     [](const auto &a, const auto &b) { return a.id < b.id; });
    std::make_heap(items.begin(), items.end());
    items.erase(std::unique(items.begin(), items.end()), items.end());
    auto middle = std::partition(items.begin(), items.end(), [](const auto &item) { return item.id % 2; });
    return std::accumulate(items.begin(), middle, 0L, [](long sum, const auto &item) { return sum + item.id; });
}

template <int N> long index(const std::vector<item<N>> &items)
{
    std::map<std::string, std::vector<item<N>>> by_name;
    std::unordered_map<item<N>, int, hash<N>> counts;
    std::multimap<double, std::shared_ptr<item<N>>> by_weight;
    std::set<item<N>> all(items.begin(), items.end());
    for (const auto &item : items) {
        by_name[item.name.substr(0, 2)].push_back(item);
        counts[item]++;
        by_weight.emplace(item.weight, std::make_shared<::item<N>>(item));
    }
    long sum = static_cast<long>(all.size());
    for (const auto &entry : by_name)
        sum += std::count_if(entry.second.begin(), entry.second.end(),
                             [&](const auto &item) { return item.name > entry.first; });
    for (auto at = by_weight.lower_bound(1.5); at != by_weight.end(); ++at)
        sum += counts[*at->second];
    return sum;
}

template <int N> struct number {
    long value;
};
template <int N> struct text {
    std::string value;
};
template <int N> struct group;
template <int N> using node = std::variant<number<N>, text<N>, std::unique_ptr<group<N>>>;
template <int N> struct group {
    std::deque<node<N>> members;
    std::function<long(long, long)> fold;
};

template <int N> long evaluate(const node<N> &at)
{
    struct visitor {
        long operator()(const number<N> &number) const
        {
            return number.value;
        }
        long operator()(const text<N> &text) const
        {
            return static_cast<long>(text.value.size());
        }
        long operator()(const std::unique_ptr<group<N>> &group) const
        {
            return std::accumulate(group->members.begin(), group->members.end(), 0L,
                                   [&](long sum, const auto &member) { return group->fold(sum, evaluate<N>(member)); });
        }
    };
    return std::visit(visitor(), at);
}

template <int N> node<N> grow(long depth)
{
    auto made = std::make_unique<group<N>>();
    made->fold = [depth](long a, long b) { return a * depth + b; };
    made->members.emplace_back(number<N>{depth});
    made->members.emplace_back(text<N>{std::string(static_cast<size_t>(depth), 'x')});
    if (depth > 0)
        made->members.push_back(grow<N>(depth - 1));
    return made;
}

template <int N> std::optional<std::string> print(const std::vector<item<N>> &items)
{
    std::ostringstream out;
    std::list<std::tuple<std::string, int, double>> rows;
    std::transform(items.begin(), items.end(), std::back_inserter(rows),
                   [](const auto &item) { return std::make_tuple(item.name, item.id, item.weight); });
    rows.sort();
    rows.remove_if([](const auto &row) { return std::get<1>(row) % 3 == 0; });
    for (const auto &[name, id, weight] : rows)
        out << name << ' ' << id << ' ' << weight << '\n';
    return rows.empty() ? std::nullopt : std::make_optional(out.str());
}

template <int N> long run_one(long count)
{
    auto items = make<N>(count);
    return sort<N>(items) + index<N>(items) + evaluate<N>(grow<N>(count % 10)) +
           static_cast<long>(print<N>(items).value_or("").size());
}

template <int... N> long run_all(long count, std::integer_sequence<int, N...>)
{
    return (run_one<PART * 100 + N>(count) + ... + 0);
}

long run(long count)
{
    return run_all(count, std::make_integer_sequence<int, WIDTH>());
}

part here(run);

} // namespace

#if PART == 0
part *part::first;

int main(int argc, char **argv)
{
    long sum = 0;
    for (part *at = part::first; at; at = at->next)
        sum += at->run(argc > 1 ? std::atol(argv[1]) : 100);
    std::printf("%ld\n", sum);
}
#endif
