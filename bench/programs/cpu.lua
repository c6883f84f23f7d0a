-- SPDX-License-Identifier: MIT
-- Computes without allocating: what the shadow stack costs where nothing is
-- traced. Argument: number of steps.
local n = tonumber(arg[1]) or 1000000

local function step(x)
  return (x * 1103515245 + 12345) % 2147483648
end

local sieve = {}
for i = 1, 1000 do sieve[i] = i end
local x, sum = 42, 0
for i = 1, n do
  x = step(x)
  local k = x % 1000 + 1
  sieve[k] = sieve[k] ~ i
  sum = sum + sieve[k] % 7
end
print(x, sum)
