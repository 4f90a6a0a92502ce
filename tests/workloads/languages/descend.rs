// A known chain of calls: main > descend 21 times > leaf; some maps and strings between. descend [SECONDS, 2]: of wall time, and
// longer where they do not make as much CPU time.
use std::collections::HashMap;
use std::time::{Duration, Instant};

// What the optimizer must not see through: std::hint::black_box is not in the oldest compilers.
#[inline(never)]
fn opaque(value: u64) -> u64 {
    unsafe { std::ptr::read_volatile(&value) }
}

#[inline(never)]
fn leaf(count: u64) -> u64 {
    let mut sum = opaque(1);
    for i in 0..count {
        sum ^= (sum << 1) ^ unsafe { std::ptr::read_volatile(&i) };
    }
    sum
}

#[inline(never)]
fn descend(depth: u64, count: u64) -> u64 {
    if depth == 0 {
        leaf(count)
    } else {
        opaque(descend(depth - 1, count)) + 1
    }
}

// In ticks of 10 ms: the fields 14 and 15 of /proc/self/stat, behind the name in parentheses.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> = stat.rsplit(')').next().unwrap_or("").split(' ').map(|f| f.parse().unwrap_or(0.0)).collect();
    fields.iter().skip(12).take(2).sum::<f64>() / 100.0
}

fn main() {
    let seconds: f64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(2.0);
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut sum = 0u64;
    while Instant::now() < end || cpu_seconds() < seconds {
        sum = sum.wrapping_add(descend(20, 200000));
        let mut numbers = HashMap::new();
        for i in 0..500u32 {
            numbers.insert((i * 7919 % 503).to_string(), i);
        }
        let mut names: Vec<_> = numbers.keys().cloned().collect();
        names.sort();
        sum = sum.wrapping_add(names.len() as u64);
    }
    println!("{}", sum);
}
