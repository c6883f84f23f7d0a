-- SPDX-License-Identifier: MIT
-- A program that allocates in more than one way: binary trees (many small
-- tables that live and die together), text (strings that are interned, split
-- and put together) and a cache that grows and is thinned out.
--
--     lua workload.lua [DEPTH]

local depth = tonumber(arg and arg[1]) or 12

local function tree_create(level)
    if level == 0 then
        return {}
    end
    return { tree_create(level - 1), tree_create(level - 1) }
end

local function tree_count(tree)
    if not tree[1] then
        return 1
    end
    return 1 + tree_count(tree[1]) + tree_count(tree[2])
end

local function trees(max)
    local long_lived = tree_create(max)
    for level = 4, max, 4 do
        local n = 1 << (max - level + 4)
        local nodes = 0
        for _ = 1, n do
            nodes = nodes + tree_count(tree_create(level))
        end
        print(string.format("%6d trees of depth %2d: %d nodes", n, level,
                            nodes))
    end
    return long_lived
end

-- Words of a text that is made up on the spot; the same each time.
local function words(n)
    local seed = 42
    local syllables = { "al", "loc", "tra", "ce", "mem", "o", "ry", "stack" }
    local list = {}
    for i = 1, n do
        local word = {}
        for j = 1, 1 + i % 4 do
            seed = (seed * 1103515245 + 12345) % 2147483648
            word[j] = syllables[1 + (seed >> 16) % #syllables]
        end
        list[i] = table.concat(word)
    end
    return list
end

local function frequencies(n)
    local text = table.concat(words(n), " ")
    local count = {}
    for word in text:gmatch("%a+") do
        count[word] = (count[word] or 0) + 1
    end
    local order = {}
    for word in pairs(count) do
        order[#order + 1] = word
    end
    table.sort(order, function(a, b)
        if count[a] ~= count[b] then
            return count[a] > count[b]
        end
        return a < b
    end)
    print(string.format("%6d words, most frequent: %s (%d)", n, order[1],
                        count[order[1]]))
    return count
end

local function cache(n)
    local entries = {}
    for i = 1, n do
        entries[i] = { key = "key " .. i, value = ("x"):rep(i % 200) }
        if i > 500 then
            entries[i - 500] = nil
        end
    end
    local left = 0
    for _ in pairs(entries) do
        left = left + 1
    end
    print(string.format("%6d entries, %d kept", n, left))
    return entries
end

local kept = { trees(depth), frequencies(1000 * depth), cache(2000 * depth) }
print(string.format("%6d results", #kept))
