// Two seconds of what JavaScript programs do: calls, arrays, JSON, regular expressions.
function walk(n) {
  return n < 2 ? n : walk(n - 1) + walk(n - 2);
}

function turn() {
  let sum = walk(18);
  const numbers = Array.from({length: 2000}, (_, i) => (i * 7919) % 2003);
  numbers.sort((a, b) => a - b);
  const text = JSON.stringify(numbers.map(x => ({x, y: String(x)})));
  sum += text.replace(/\d+/g, digits => digits + 1).length;
  return sum;
}

const end = process.cpuUsage().user + 1e6 * Number(process.argv[2] || 2);
while (process.cpuUsage().user < end)
  turn();
