<?php
/*
 * Finds what PHP code reads from a request without a rule, without executing the code.
 */
namespace RulebookExport;

class Reads
{
    /** What the code after a position can look like; the first group is the name of what it reads. */
    private const PATTERNS = [
        '/^(\$_(?:GET|POST|REQUEST|COOKIE|FILES|SESSION)(?:\[[\'"][^\'"]*[\'"]\])?)/',
        '/^(\$_SERVER\[[\'"]HTTP_[^\'"]*[\'"]\])/',
        '/^[\'"](php:\/\/input)[\'"]/',
        '/^->(request->get(?:|All|Header)\((?:[\'"][^\'"]*[\'"])?)/',
        '/^->(cookie->get\((?:[\'"][^\'"]*[\'"])?)/',
        '/^\\\\?((?:getallheaders|apache_request_headers|filter_input|session_start)\()/',
    ];

    /** Returns what a file reads, each with the first line that reads it. */
    public static function find($file)
    {
        $found = [];
        $tokens = Code::tokens($file);
        foreach ($tokens as $at => [$line, $text]) {
            if ($text[0] !== '$' && $text !== '->' && !preg_match('/^\\\\?(["\']php:|getall|apache_|filter_|session_)/', $text)) {
                continue;
            }
            $code = implode('', array_column(array_slice($tokens, $at, 7), 1));
            foreach (self::PATTERNS as $pattern) {
                if (preg_match($pattern, $code, $match)) {
                    $name = $match[1] . (strpos($match[1], '(') === false ? '' : ')');
                    $found += [$name => ['name' => $name, 'line' => $line]];
                }
            }
        }
        return array_values($found);
    }
}
