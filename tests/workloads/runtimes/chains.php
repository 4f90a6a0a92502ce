<?php
// A program whose PHP stacks are known: php chains.php MODE SECONDS
//
// Each mode burns CPU time, or sleeps, at the bottom of one chain of functions. Its last lines say
//     truth chain chains.php;main;MODE;...;burn

$mode = $argv[1];
define('SECONDS', (float)$argv[2]);

function cpu_seconds()
{
    $used = getrusage();
    return $used['ru_utime.tv_sec'] + $used['ru_stime.tv_sec'] + 1e-6 * ($used['ru_utime.tv_usec'] + $used['ru_stime.tv_usec']);
}

function burn()
{
    $end = cpu_seconds() + SECONDS;
    do {
        $total = 0;
        for ($i = 0; $i < 50000; $i++) {
            $total += $i & 3;
        }
    } while (cpu_seconds() < $end);
    return 0;
}

function nap()
{
    $end = microtime(true) + SECONDS;
    while (microtime(true) < $end) {
        usleep(10000);
    }
}

function recursion($depth = 50)
{
    return $depth ? recursion($depth - 1) : burn();
}

function by_callback()
{
    return array_map('burn', [1]);
}

function by_sort()
{
    $list = [2, 1];
    usort($list, function ($a, $b) {
        static $burnt = false;
        $burnt = $burnt || burn() === 0;
        return $a - $b;
    });
}

function generate()
{
    yield burn();
}

function by_generator()
{
    foreach (generate() as $value) {
        return $value;
    }
}

function by_next()
{
    $generator = generate();
    return $generator->current();
}

class Thing
{
    public $burns = true;

    public static function make()
    {
        return burn();
    }

    public function __get($name)
    {
        return burn();
    }

    public function __call($name, $arguments)
    {
        return burn();
    }

    public function __toString()
    {
        burn();
        return '';
    }

    public function shown()
    {
        return (function () {
            return burn();
        })();
    }
}

class Ends
{
    public function __destruct()
    {
        burn();
    }
}

class Derived extends Thing
{
}

function by_static()
{
    return Derived::make();
}

function by_property()
{
    return (new Thing())->missing;
}

function by_magic()
{
    return (new Thing())->missing();
}

function by_string()
{
    return strlen(new Thing());
}

function by_method()
{
    return (new Thing())->shown();
}

function by_destructor()
{
    $ends = new Ends();
    $ends = null;
}

function by_exception()
{
    try {
        throw new RuntimeException('x');
    } catch (RuntimeException $caught) {
        burn();
    } finally {
        $caught = null;
    }
}

function by_include()
{
    return include $GLOBALS['included'];
}

function by_eval()
{
    return eval('function made() { return burn(); } return made();');
}

function by_autoload()
{
    spl_autoload_register(function ($class) {
        burn();
        eval("class $class {}");
    });
    return new Loaded();
}

function by_partial()
{
    return call_user_func_array('recursion', [2]);
}

function by_anonymous()
{
    return (new class {
        public function inner()
        {
            return burn();
        }
    })->inner();
}

function größe()
{
    return 函数();
}

function 函数()
{
    return burn();
}

function by_words()
{
    return größe();
}

function long_name_()
{
    $name = str_repeat('x', 300);
    eval("function $name() { return burn(); }");
    return $name();
}

function sleeps()
{
    return nap();
}

function sleeps_deep($depth = 20)
{
    return $depth ? sleeps_deep($depth - 1) : nap();
}

// Two functions with the same native frames, and the same return addresses, wait in turn.
function first_waits()
{
    usleep(4000);
}

function second_waits()
{
    usleep(4000);
}

function waits_in_turn()
{
    $end = microtime(true) + SECONDS;
    $slept = ['first_waits' => 0, 'second_waits' => 0];
    while (microtime(true) < $end) {
        foreach (['first_waits', 'second_waits'] as $waits) {
            $begun = hrtime(true);
            for ($i = 0; $i < 20; $i++) {
                $waits();
            }
            $slept[$waits] += hrtime(true) - $begun;
        }
    }
    foreach ($slept as $waits => $ns) {
        echo "truth $waits $ns\n";
    }
}

// Nothing but calls: the edges are these, and no others.
function calls_c($n)
{
    return $n;
}

function calls_b($n)
{
    return calls_c($n) + calls_c($n);
}

function calls_a($n)
{
    return calls_b($n) + array_map('calls_c', [$n])[0];
}

function calls()
{
    $end = cpu_seconds() + SECONDS;
    while (cpu_seconds() < $end) {
        for ($i = 0; $i < 1000; $i++) {
            calls_a($i);
        }
    }
}

$modern = PHP_VERSION_ID >= 80400; // names its closures by where they are
$closure = function ($of, $line) use ($modern) {
    return $modern ? "{closure:$of():$line}" : '{closure}';
};
$line_of = function ($text) {
    foreach (file(__FILE__) as $i => $line) {
        if (strpos($line, $text) !== false) {
            return $i + 1;
        }
    }
};
$chains = [
    'recursion' => array_merge(array_fill(0, 51, 'recursion'), ['burn']),
    'by_callback' => ['by_callback', 'burn'],
    'by_sort' => ['by_sort', $closure('by_sort', $line_of('usort(')), 'burn'],
    'by_generator' => ['by_generator', 'generate', 'burn'],
    'by_next' => ['by_next', 'generate', 'burn'],
    'by_static' => ['by_static', 'Thing::make', 'burn'],
    'by_property' => ['by_property', 'Thing::__get', 'burn'],
    'by_magic' => ['by_magic', 'Thing::__call', 'burn'],
    'by_string' => ['by_string', 'Thing::__toString', 'burn'],
    'by_method' => ['by_method', 'Thing::shown', 'Thing::' . $closure('Thing::shown', $line_of('return (function')), 'burn'],
    'by_destructor' => ['by_destructor', 'Ends::__destruct', 'burn'],
    'by_exception' => ['by_exception', 'burn'],
    'by_include' => ['by_include', 'included.php', 'burn'],
    'by_eval' => ['by_eval', "chains.php(" . $line_of("eval('function made") . ") : eval()'d code", 'made', 'burn'],
    'by_autoload' => ['by_autoload', $closure('by_autoload', $line_of('spl_autoload_register(')), 'burn'],
    'by_partial' => ['by_partial', 'recursion', 'recursion', 'recursion', 'burn'],
    'by_anonymous' => ['by_anonymous', 'class@anonymous::inner', 'burn'],
    'by_words' => ['by_words', 'größe', '函数', 'burn'],
    'long_name_' => ['long_name_', str_repeat('x', 256) . '...', 'burn'],
    'sleeps' => ['sleeps', 'nap'],
    'sleeps_deep' => array_merge(array_fill(0, 21, 'sleeps_deep'), ['nap']),
];

$included = ($argv[3] ?? '.') . '/included.php';
function main($mode)
{
    $mode();
}
main($mode);
if (isset($chains[$mode])) {
    echo 'truth chain ', implode(';', array_merge(['chains.php', 'main'], $chains[$mode])), "\n";
}
