<?php
/*
 * Finds where PHP code rejects requests with an exception of PhalApi, without executing the code.
 */
namespace RulebookExport;

class Rejections
{
    /** The name of the exception in PhalApi 1 and 2. */
    private const EXCEPTION = '/^(.*\\\\)?BadRequestException$|^\\\\?PhalApi_Exception_BadRequest$/';
    /** `ret` is this number plus the code of the exception. */
    private const BASE = 400;

    /** What `find` has found in the files; `is_declared` is set if an exported method declares the error. */
    private $found = [];

    public function __construct($files)
    {
        foreach ($files as $file) {
            array_push($this->found, ...self::find($file));
        }
    }

    /** Returns `ret` and the message of each exception in a method. Its number must be known, and be that of a rejection. */
    public function ofMethod(\ReflectionMethod $method)
    {
        $rejections = [];
        foreach ($this->found as &$found) {
            $is_inside = $found['line'] >= $method->getStartLine() && $found['line'] <= $method->getEndLine();
            if ($found['file'] === $method->getFileName() && $is_inside && $found['ret'] !== null && $found['ret'] < 500) {
                $found['is_declared'] = true;
                $rejections[] = ['ret' => $found['ret'], 'message' => $found['message']];
            }
        }
        return $rejections;
    }

    /** Returns the files and lines that no exported method declares. */
    public function others()
    {
        $others = array_filter($this->found, function ($found) { return !isset($found['is_declared']); });
        return array_map(function ($found) { return ['file' => $found['file'], 'line' => $found['line']]; }, array_values($others));
    }

    /**
     * Returns the lines of a file that create the exception or derive a class from it, each with `ret` and the message.
     * `ret` is null if the code does not contain it as a number, and the message is empty if it is not a simple text.
     */
    private static function find($file)
    {
        $found = [];
        $tokens = strpos((string) file_get_contents($file), 'BadRequest') === false ? [] : Code::tokens($file);
        foreach ($tokens as $at => [$line, $text]) {
            if (!in_array(strtolower($text), ['new', 'extends'], true)) {
                continue;
            }
            [$name, $next] = self::name($tokens, $at + 1);
            if (!preg_match(self::EXCEPTION, $name)) {
                continue;
            }
            $rejection = ['file' => $file, 'line' => $line, 'ret' => null, 'message' => ''];
            if (strtolower($text) === 'new') {
                $arguments = self::arguments($tokens, $next);
                $code = ($arguments[1] ?? '') === '' ? '0' : $arguments[1];
                $rejection['ret'] = preg_match('/^\d{1,3}$/', $code) ? self::BASE + (int) $code : null;
                $rejection['message'] = self::text($arguments[0]);
            }
            $found[] = $rejection;
        }
        return $found;
    }

    /** Returns the name of a class, and the position after it. PHP 7 has a token for each part of a name. */
    private static function name($tokens, $at)
    {
        $name = $tokens[$at][1] ?? '';
        while (isset($tokens[++$at]) && (substr($name, -1) === '\\' || $tokens[$at][1] === '\\')) {
            $name .= $tokens[$at][1];
        }
        return [$name, $at];
    }

    /** Returns the code of each argument in the parentheses that begin at a position. */
    private static function arguments($tokens, $at)
    {
        $arguments = [''];
        $last = $depth = 0;
        for (; isset($tokens[$at]); $at++) {
            $text = $tokens[$at][1];
            $depth -= in_array($text, [')', ']', '}'], true) ? 1 : 0;
            if ($depth === 0 && $text !== '(') {
                break;
            }
            if ($depth === 1 && $text === ',') {
                $arguments[++$last] = '';
            } elseif ($depth > 0) {
                $arguments[$last] .= $text;
            }
            $depth += in_array($text, ['(', '[', '{', '${'], true) ? 1 : 0;
        }
        return $arguments;
    }

    /** Returns the text that code such as `'wrong sign'` or `T('wrong sign')` contains. */
    private static function text($code)
    {
        $is_text = preg_match('/^(?:[\w\\\\]*\bT\()?([\'"])((?:(?!\1)[^\\\\]|\\\\.)*)\1\)?$/s', $code, $match);
        return $is_text && ($match[1] === "'" || strpos($match[2], '$') === false) ? stripslashes($match[2]) : '';
    }
}
