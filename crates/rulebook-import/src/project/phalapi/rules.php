<?php
/*
 * Cleans what getRules() has returned of values that a definition cannot contain.
 */
namespace RulebookExport;

class Rules
{
    /** The file that contains the rules, and the line of each key in it. */
    public $file;
    public $lines;
    /** What the program computes for each request, by path. */
    private $computed;
    /** The name of the class. */
    private $service;
    /** What was not carried over: lines and messages. */
    public $notes = [];

    /** The rules are in lines of a file, from the first to the last. */
    public function __construct($service, $file, $first, $last)
    {
        $this->service = $service;
        $this->file = $file;
        $this->lines = $file === '' ? [] : Code::keyLines($file, $first, $last, true);
        $this->computed = $file === '' ? [] : Code::computed($file, $first, $last);
    }

    /** Returns rules as a definition can have them. In PHP, a rule that is null or false is removed. */
    public function clean($rules, $path)
    {
        $clean = [];
        foreach ($rules as $name => $rule) {
            $below = "$path/$name";
            if ($rule === null || $rule === false) {
                continue;
            }
            $clean[$name] = $this->cleanValue($rule, $below);
            if (is_array($rule) && isset($rule['require']) && !is_bool($rule['require'])) {
                $clean[$name]['require'] = (bool) $rule['require'];
                if (in_array(strtolower((string) $rule['require']), ['false', 'no', 'off'], true)) {
                    $this->note("$below/require", "`$below/require` is a text, which PHP reads as true");
                }
            }
            $computed = $this->computedBelow($below);
            if (isset($computed["$below/default"])) {
                unset($clean[$name]['require']);
            }
            foreach ($computed as $other => $code) {
                $result = $other === "$below/default" ? 'the parameter is optional; PHP computes the value, and so must a handler in Rust' : 'only PHP checks it';
                $this->note($other, "`$other` is computed for each request (`$code`), and not carried over: $result");
            }
            $this->computed = array_diff_key($this->computed, $computed);
        }
        return $clean;
    }

    /** Adds notes about computed values that no rule has under its path. They are those of the time of the import. */
    public function noteOthers()
    {
        foreach ($this->computed as $path => $code) {
            $this->note($path, "`$path` is computed (`$code`): the definition has the value of the time of the import");
        }
    }

    private function computedBelow($path)
    {
        return array_filter($this->computed, function ($other) use ($path) { return strpos($other, "$path/") === 0; }, ARRAY_FILTER_USE_KEY);
    }

    /** Removes values that JSON cannot contain: functions, and values of the running program. */
    private function cleanValue($value, $path)
    {
        if (is_array($value)) {
            $clean = [];
            foreach ($value as $key => $item) {
                $below = "$path/$key";
                if (isset($this->computed[$below])) {
                    continue;
                } elseif ($item instanceof \Closure) {
                    $clean[$key] = $this->service . '::' . str_replace('/', '_', $path);
                    $this->note($below, "`$below` is a function without a name; it was named `{$clean[$key]}`");
                } elseif ($item instanceof Stub || is_resource($item)) {
                    $this->note($below, "not carried over: `$below` is known only while the program runs");
                } else {
                    $clean[$key] = $this->cleanValue($item, $below);
                }
            }
            return $clean;
        }
        if (is_float($value) && !is_finite($value)) {
            return null;
        }
        return is_object($value) ? get_class($value) : $value;
    }

    private function note($path, $message)
    {
        while ($path !== '' && !isset($this->lines[$path])) {
            $path = strpos($path, '/') === false ? '' : substr($path, 0, strrpos($path, '/'));
        }
        $this->notes[] = [$this->lines[$path] ?? null, $message];
    }
}
