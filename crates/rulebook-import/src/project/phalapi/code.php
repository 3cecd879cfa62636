<?php
/*
 * Reads PHP code without executing it.
 */
namespace RulebookExport;

class Code
{
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
        $line = 1;
        $tokens = [];
        foreach (token_get_all(file_get_contents($file)) as $token) {
            $text = is_array($token) ? $token[1] : $token;
            if (!is_array($token) || !in_array($token[0], [T_COMMENT, T_DOC_COMMENT, T_WHITESPACE, T_OPEN_TAG], true)) {
                $tokens[] = [$line, $text];
            }
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
        $depth = 0;
        $path = [];
        $tokens = self::tokens($file);
        foreach ($tokens as $at => [$line, $text]) {
            if ($line < $first || $line > $last) {
                continue;
            }
            $depth += in_array($text, ['[', '('], true) ? 1 : (in_array($text, [']', ')'], true) ? -1 : 0);
            if (($tokens[$at + 1][1] ?? '') === '=>' && preg_match('/^[\'"](.*)[\'"]$/', $text, $match)) {
                $path = array_filter($path, function ($other) use ($depth) { return $other < $depth; }, ARRAY_FILTER_USE_KEY);
                $path[$depth] = $match[1];
                $lines += [$nested ? implode('/', $path) : $match[1] => $line];
            }
        }
        return $lines;
    }

    /** Splits a doc comment into its first line, the lines after it, and its annotations. */
    public static function doc($comment)
    {
        $doc = ['info' => '', 'text' => '', 'tags' => []];
        foreach (explode("\n", preg_replace('~^/\*\*|\*/$~', '', (string) $comment)) as $line) {
            $line = trim(preg_replace('/^\s*\* ?/', '', $line));
            if (preg_match('/^@(\w+)\s*(.*)$/', $line, $match)) {
                $doc['tags'][] = [$match[1], $match[2]];
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

    /** Searches the entry scripts, without executing them, for settings that rulebook has too. */
    public static function setup($root)
    {
        $scripts = $found = [];
        foreach (['init.php', '*/init.php', 'Config/di.php', 'config/di.php', 'index.php', '*/index.php', '*/*/index.php'] as $pattern) {
            $scripts = array_merge($scripts, (array) glob("$root/$pattern"));
        }
        $patterns = [
            'timezone' => '/^date_default_timezone_set\([\'"]([\w\/+-]+)[\'"]/',
            'language' => '/^SL\([\'"](\w+)[\'"]/',
            'jsonp' => '/^(?:new)?[\w\\\\]*Response(?:\\\\|_)(Json[pP]\w*)\(/',
            'xml' => '/^(?:new)?[\w\\\\]*Response(?:\\\\|_)(Xml\w*)\(/i',
            'filter' => '/^filter=(?!=)(.{0,60})/',
            'formatter' => '/^_formatter(\w+)=(?!=)/',
        ];
        foreach (array_unique($scripts) as $script) {
            if (preg_match('~(^|/)(vendor|node_modules|PhalApi|Tests|tests)/~', substr($script, strlen($root) + 1))) {
                continue;
            }
            $tokens = self::tokens($script);
            foreach ($tokens as $at => [$line, $_]) {
                $code = implode('', array_column(array_slice($tokens, $at, 12), 1));
                foreach ($patterns as $name => $pattern) {
                    if (preg_match($pattern, ltrim($code, '\\'), $match)) {
                        $found[$name][] = ['file' => substr($script, strlen($root) + 1), 'line' => $line, 'value' => $match[1]];
                    }
                }
            }
        }
        return $found;
    }
}
