/* SPDX-License-Identifier: MIT */
/*
 * A C++ program as they are written: an inverted index over a made-up text.
 * Documents are shared between the lists of their words; words are strings in
 * a hash table, lists of documents vectors that grow, the vocabulary a map in
 * order. Each round indexes documents, answers queries and forgets the oldest
 * documents, so that blocks of all ages are freed.
 *
 *     index [DOCUMENTS]      prints a checksum of all answers
 */
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace
{
const unsigned kept_documents = 2000;
const unsigned documents_a_round = 500;
const unsigned words_a_document = 60;
const unsigned queries_a_round = 40;
const unsigned vocabulary = 20000;

class Random
{
  public:
    unsigned below(unsigned n)
    {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return static_cast<unsigned>(state >> 33) % n;
    }

    /* Few words are frequent and most are rare, as in any language. */
    unsigned rank()
    {
        return std::min(below(vocabulary), below(1 + below(vocabulary)));
    }

  private:
    std::uint64_t state = 88172645463325252u;
};

/* The word of that rank: longer ones outgrow what a string has inside. */
std::string spell(unsigned rank)
{
    static const char *const syllables[] = {"al", "loc",  "tra", "ce",
                                            "me", "mory", "sta", "ck"};
    std::string word;

    for (unsigned rest = rank + 8; rest; rest /= 8)
        word += syllables[rest % 8];
    return word + (rank % 3 ? "" : "ographically");
}

struct Document {
    unsigned id;
    std::string title;
    std::map<std::string, unsigned> counts; /* of its words */
};

using Shared = std::shared_ptr<const Document>;

std::string write(Random &random)
{
    std::string text;

    for (unsigned i = 0; i < words_a_document; i++)
        text += (i ? " " : "") + spell(random.rank());
    return text;
}

Shared parse(unsigned id, const std::string &text)
{
    auto document = std::make_shared<Document>();
    std::istringstream words(text);
    std::string word;

    document->id = id;
    document->title = text.substr(0, 24);
    while (words >> word)
        document->counts[word]++;
    return document;
}

class Index
{
  public:
    void add(const Shared &document)
    {
        for (const auto &entry : document->counts)
            lists[entry.first].push_back(document);
        documents.push_back(document);
    }

    void forget_oldest()
    {
        const Shared oldest = documents.front();

        documents.pop_front();
        for (const auto &entry : oldest->counts)
            remove(entry.first, oldest);
    }

    std::size_t size() const { return documents.size(); }

    /* Titles of those that have both words, the most frequent first. */
    std::vector<std::string> find(const std::string &a,
                                  const std::string &b) const
    {
        std::multimap<unsigned, Shared> found;
        std::vector<std::string> titles;

        for (const Shared &document : list(a)) {
            const auto other = document->counts.find(b);

            if (other != document->counts.end())
                found.emplace(other->second + document->counts.at(a), document);
        }
        for (auto it = found.rbegin(); it != found.rend(); ++it)
            titles.push_back(std::to_string(it->second->id) + ": " +
                             it->second->title);
        return titles;
    }

  private:
    void remove(const std::string &word, const Shared &document)
    {
        const auto it = lists.find(word);
        auto &list = it->second;

        list.erase(std::find(list.begin(), list.end(), document));
        if (list.empty())
            lists.erase(it);
    }

    std::vector<Shared> list(const std::string &word) const
    {
        const auto it = lists.find(word);

        return it == lists.end() ? std::vector<Shared>() : it->second;
    }

    std::unordered_map<std::string, std::vector<Shared>> lists;
    std::deque<Shared> documents;
};

std::uint32_t checksum_of(const std::vector<std::string> &titles)
{
    std::uint32_t checksum = 0;

    for (const std::string &title : titles)
        for (const char c : title)
            checksum = checksum * 31 + static_cast<unsigned char>(c);
    return checksum;
}

std::uint32_t ask(const Index &index, Random &random)
{
    std::uint32_t checksum = 0;

    for (unsigned i = 0; i < queries_a_round; i++) {
        const std::string a = spell(random.below(200));
        const std::string b = spell(random.below(200));

        checksum ^= checksum_of(index.find(a, b));
    }
    return checksum;
}
} /* namespace */

int main(int argc, char **argv)
{
    const unsigned long n = argc > 1 ? std::strtoul(argv[1], nullptr, 10)
                                     : 10000;
    std::uint32_t checksum = 0;
    Random random;
    Index index;

    for (unsigned i = 0; i < n; i++) {
        index.add(parse(i, write(random)));
        if (index.size() > kept_documents)
            index.forget_oldest();
        if (i % documents_a_round == 0)
            checksum = checksum * 31 + ask(index, random);
    }
    std::printf("%08x\n", checksum);
    return 0;
}
