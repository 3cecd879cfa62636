<?php
/*
 * Reads PHP code without executing it.
 */
namespace RulebookExport;

class Code
{
    /** Functions whose results change from call to call. */
    private const VOLATILE = '/^\\\\?(time|microtime|hrtime|date|gmdate|idate|getdate|localtime|mktime|gmmktime|strtotime|date_create'
        . '|rand|mt_rand|random_int|random_bytes|uniqid|lcg_value|session_id|getenv|gethostname)$/i';
    /** What looks like a call of a function, and is none, or one that returns its argument. */
    private const NO_CALL = '/^(array|(\\\\?PhalApi\\\\)?T)$/i';

    /** Returns the name of the first class in a file, without loading the file. */
    public static function declaredClass($file)
    {
        $namespace = '';
        $source = implode(' ', array_column(self::tokens($file), 1));
        if (preg_match('/\bnamespace ([\w\\\\ ]+?) ?[;{]/', $source, $match)) {
            $namespace = str_replace(' ', '', $match[1]) . '\\';
        }
        return preg_match('/(?<!::)\bclass (\w+)/', $source, $match) ? $namespace . $match[1] : null;
    }

    /** Returns the tokens of a file without comments and white space, each as [line, text]. */
    public static function tokens($file)
    {
        $tokens = [];
        foreach (self::allTokens($file) as [$line, $text, $kind]) {
            if (!in_array($kind, [T_COMMENT, T_DOC_COMMENT, T_WHITESPACE, T_OPEN_TAG], true)) {
                $tokens[] = [$line, $text];
            }
        }
        return $tokens;
    }

    /** Returns the tokens of a file, each as [line, text, kind]. */
    private static function allTokens($file)
    {
        $line = 1;
        $tokens = [];
        foreach (token_get_all((string) file_get_contents($file)) as $token) {
            [$kind, $text] = is_array($token) ? $token : [null, $token];
            $tokens[] = [$line, $text, $kind];
            $line += substr_count($text, "\n");
        }
        return $tokens;
    }

    /**
     * Returns the line of each key of an array in a range of lines. With `$nested`, the key of an inner array is the path
     * to it, such as `login/username`.
     */
    public static function keyLines($file, $first, $last, $nested)
    {
        $lines = [];
        foreach (self::keys(self::tokens($file), $first, $last) as [$path, $line]) {
            $lines += [$nested ? implode('/', $path) : end($path) => $line];
        }
        return $lines;
    }

    /**
     * Returns the paths of keys in a range of lines whose values the program computes for each request, each with the
     * code of the value: a `default` that calls a function, and other values that change from call to call.
     */
    public static function computed($file, $first, $last)
    {
        $tokens = self::tokens($file);
        $found = [];
        foreach (self::keys($tokens, $first, $last) as [$path, , $at]) {
            $depth = 0;
            $code = [];
            for ($next = $at + 2; isset($tokens[$next]); $next++) {
                $text = $tokens[$next][1];
                $depth += self::nesting($text);
                if ($depth < 0 || ($depth === 0 && $text === ',')) {
                    break;
                }
                $code[] = $text;
            }
            // The value of the key of an inner array is reported at the keys of that array.
            if (!in_array('=>', $code, true) && self::isComputed($code, end($path) === 'default')) {
                $found[implode('/', $path)] = preg_replace('/ ?([^\w\s\'"]) ?/', '$1', implode(' ', $code));
            }
        }
        return $found;
    }

    private static function isComputed($code, $with_calls)
    {
        foreach ($code as $at => $text) {
            $is_call = ($code[$at + 1] ?? '') === '(' && preg_match('/^[\w\\\\]+$/', $text) && !preg_match(self::NO_CALL, $text);
            $is_new = strtolower($text) === 'new';
            if (strpos($text, '$_') === 0 || ($with_calls ? $is_new || $is_call : $is_call && preg_match(self::VOLATILE, $text))) {
                return true;
            }
        }
        return false;
    }

    /** Returns the path, the line and the position of each key of an array in a range of lines. */
    private static function keys($tokens, $first, $last)
    {
        $depth = 0;
        $path = [];
        foreach ($tokens as $at => [$line, $text]) {
            if ($line < $first || $line > $last) {
                continue;
            }
            $depth += self::nesting($text);
            if (($tokens[$at + 1][1] ?? '') === '=>' && preg_match('/^[\'"](.*)[\'"]$/', $text, $match)) {
                $path = array_filter($path, function ($other) use ($depth) { return $other < $depth; }, ARRAY_FILTER_USE_KEY);
                $path[$depth] = $match[1];
                yield [$path, $line, $at];
            }
        }
    }

    private static function nesting($text)
    {
        return in_array($text, ['[', '('], true) ? 1 : (in_array($text, [']', ')'], true) ? -1 : 0);
    }

    /** Returns the texts in a range of lines. */
    public static function texts($file, $first, $last)
    {
        $texts = [];
        foreach (self::tokens($file) as [$line, $text]) {
            if ($line >= $first && $line <= $last && preg_match('/^[\'"](.*)[\'"]$/', $text, $match)) {
                $texts[] = $match[1];
            }
        }
        return $texts;
    }

    /** Returns the line of the last doc comment with a text before a line. */
    public static function docLine($file, $comment, $before)
    {
        $found = $before;
        foreach (self::allTokens($file) as [$line, $text, $kind]) {
            if ($kind === T_DOC_COMMENT && $line <= $before && $text === $comment) {
                $found = $line;
            }
        }
        return $found;
    }

    /** Splits a doc comment that begins in a line into its first line, the lines after it, and its annotations. */
    public static function doc($comment, $first_line = 0)
    {
        $doc = ['info' => '', 'text' => '', 'tags' => []];
        foreach (explode("\n", preg_replace('~^/\*\*|\*/$~', '', (string) $comment)) as $at => $line) {
            $line = trim(preg_replace('/^\s*\* ?/', '', $line));
            if (preg_match('/^@(\w+)\s*(.*)$/', $line, $match)) {
                $doc['tags'][] = [$match[1], $match[2], $first_line + $at];
            } elseif ($line !== '' && $doc['tags']) {
                $doc['tags'][count($doc['tags']) - 1][1] .= " $line";
            } elseif ($line !== '' && $doc['info'] === '') {
                $doc['info'] = $line;
            } elseif ($line !== '') {
                $doc['text'] = trim($doc['text'] . ' ' . $line);
            }
        }
        return $doc;
    }
}
