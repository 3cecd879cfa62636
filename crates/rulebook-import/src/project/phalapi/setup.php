<?php
/*
 * Reads the entry scripts, the version of PhalApi and the translations of a project.
 */
namespace RulebookExport;

class Setup
{
    private const SCRIPTS = ['init.php', '*/init.php', 'Config/di.php', 'config/di.php', 'index.php', '*/index.php', '*/*/index.php'];
    private const SETTINGS = [
        'timezone' => '/^date_default_timezone_set\([\'"]([\w\/+-]+)[\'"]/',
        'jsonp' => '/^(?:new)?[\w\\\\]*Response(?:\\\\|_)(Json[pP]\w*)\(/',
        'xml' => '/^(?:new)?[\w\\\\]*Response(?:\\\\|_)(Xml\w*)\(/i',
        'filter' => '/^filter=(?!=)(.{0,60})/',
        'formatter' => '/^_formatter(\w+)=(?!=)/',
    ];
    /** The code before the arguments that choose the language. */
    private const LANGUAGE = '/^(?:PhalApi\\\\)?(?:SL|\w*Translator::setLanguage)\((.*)$/s';
    /** The files of PhalApi with its version, and with its translations into a language. */
    private const VERSION_FILES = ['vendor/phalapi/kernal/src/*.php', 'PhalApi/PhalApi.php', '*/PhalApi/PhalApi.php'];
    private const OWN_TRANSLATIONS = ['vendor/phalapi/kernal/language/%s/common.php', 'PhalApi/Language/%s/common.php'];
    private const TRANSLATIONS = ['language/%s/common.php', 'Language/%s/common.php'];
    /** The texts of PhalApi that a server says in front of PHP, too. */
    private const CHECK_TEXTS = ['service ({service}) illegal', 'no such service as {service}', 'wrong param: {name}',
        '{name} should be in {range}, but now {name} = {value}', '{name} should >= {min}, but now {name} = {value}',
        '{name} should <= {max}, but now {name} = {value}', '{name} require, but miss', '{name} can not match {regex}',
        '{name} illegal json data', 'illegal parameter {name}', 'miss upload file: {file}', 'Not the file type {ext}',
        'fail to upload file with error = {error}', 'request method not allowed, only {method}', 'Bad Request: {message}',
        'Interal Server Error: {message}'];

    private $root;

    public function __construct($root) { $this->root = $root; }

    /** Searches the entry scripts, without executing them, for settings that rulebook has too. */
    public function settings()
    {
        $found = ['uri_match' => $this->uriMatch()];
        foreach ($this->scripts() as $script) {
            $tokens = Code::tokens($script);
            $languages = [];
            $depth = 0;
            foreach ($tokens as $at => [$line, $text]) {
                $depth += in_array($text, ['{', '${'], true) ? 1 : ($text === '}' ? -1 : 0);
                $code = ltrim(implode('', array_column(array_slice($tokens, $at, 12), 1)), '\\');
                $place = ['file' => $this->relative($script), 'line' => $line];
                foreach (self::SETTINGS as $name => $pattern) {
                    if (preg_match($pattern, $code, $match)) {
                        $found[$name][] = $place + ['value' => $match[1]];
                    }
                }
                // A name with a namespace begins one position earlier than its last part, in PHP 7.
                $is_rest = in_array($tokens[$at - 1][1] ?? '', ['\\', '->', 'function'], true);
                if (!$is_rest && preg_match(self::LANGUAGE, $code)) {
                    // A call that is always executed replaces the languages of all calls before it.
                    $is_certain = $depth === 0 && in_array($tokens[$at - 1][1] ?? ';', [';', '}'], true);
                    $languages = $is_certain ? [] : $languages;
                    $languages[] = $place + ['value' => $this->language($tokens, $at)];
                }
                if (strpos($code, 'output()') === 0 && ($tokens[$at - 1][1] ?? '') === '->') {
                    $found['entry'][] = $place + ['value' => $this->applications($tokens)];
                }
            }
            // The language of a later script replaces those of the scripts that it loads.
            if ($languages) {
                $found['language'] = array_merge($languages, $found['language'] ?? []);
            }
        }
        return $found;
    }

    /** Returns where the configuration lets PhalApi find the service in the path. */
    private function uriMatch()
    {
        $found = [];
        foreach (['config/sys.php', 'Config/sys.php'] as $name) {
            $tokens = is_file("$this->root/$name") ? Code::tokens("$this->root/$name") : [];
            foreach ($tokens as $at => [$line, $text]) {
                $value = strtolower($tokens[$at + 2][1] ?? '');
                if (trim($text, '"\'') === 'enable_uri_match' && $value === 'true') {
                    $found[] = ['file' => $name, 'line' => $line, 'value' => $value];
                }
            }
        }
        return $found;
    }

    private function scripts()
    {
        $scripts = [];
        foreach (self::SCRIPTS as $pattern) {
            $scripts = array_merge($scripts, (array) glob("$this->root/$pattern"));
        }
        return array_filter(array_unique($scripts), function ($script) {
            return !preg_match('~(^|/)(vendor|node_modules|PhalApi|Tests|tests)/~', $this->relative($script));
        });
    }

    /** Returns the last language in the arguments of a call; with `$` before it if the request can choose another one. */
    private function language($tokens, $at)
    {
        $language = '';
        $is_chosen = false;
        for ($depth = 0; isset($tokens[$at]); $at++) {
            $text = $tokens[$at][1];
            $is_chosen = $is_chosen || $text[0] === '$';
            if (preg_match('/^[\'"]([a-z]{2}(?:[_-]\w+)?)[\'"]$/i', $text, $match)) {
                $language = $match[1];
            }
            $depth += $text === '(' ? 1 : ($text === ')' ? -1 : 0);
            if ($text === ')' && $depth === 0) {
                break;
            }
        }
        return ($is_chosen ? '$' : '') . $language;
    }

    /** Returns the folders of the applications that an entry script of PhalApi 1 loads, with blanks between them. */
    private function applications($tokens)
    {
        $folders = [];
        foreach ($tokens as $at => [$_, $text]) {
            for ($next = $at + 1; $text === 'addDirs' && !in_array($tokens[$next][1] ?? ')', [')', ';'], true); $next++) {
                if (preg_match('/^[\'"](.*)[\'"]$/', $tokens[$next][1], $match)) {
                    $folders[] = trim($match[1], '/');
                }
            }
        }
        return implode(' ', $folders);
    }

    /**
     * Returns where the version of PhalApi is written, and the version; null if it is nowhere. A range of versions in
     * `composer.json` gives only the number that all of them begin with, or an empty text.
     */
    public function version()
    {
        foreach (self::VERSION_FILES as $pattern) {
            foreach ((array) glob("$this->root/$pattern") as $file) {
                $constant = '/define\(\s*[\'"]PHALAPI_VERSION[\'"]\s*,\s*[\'"]([\d.]+)/';
                if (preg_match($constant, (string) file_get_contents($file), $match, PREG_OFFSET_CAPTURE)) {
                    return $this->versionAt($file, $match[1]);
                }
            }
        }
        foreach (['composer.lock' => '/"name":\s*"phalapi\/kernal",\s*"version":\s*"([^"]*)"/',
            'composer.json' => '/"phalapi\/kernal"\s*:\s*"([^"]*)"/'] as $name => $pattern) {
            $file = "$this->root/$name";
            if (is_file($file) && preg_match($pattern, (string) file_get_contents($file), $match, PREG_OFFSET_CAPTURE)) {
                return $this->versionAt($file, [$this->versionOf($match[1][0]), $match[1][1]]);
            }
        }
        return null;
    }

    /** Returns the version that composer selects for a constraint, or the part of it that is certain. */
    private function versionOf($constraint)
    {
        // `2.1.4`, `2.1.*` and `~2.1.4` are versions of 2.1; `^2.1` and `~2.1` are all later versions of 2.
        $is_minor = preg_match('/^(?:=?\s*v?(\d+\.\d+(?:\.\d+)*)|v?(\d+\.\d+)\.[*x]|~\s*v?(\d+\.\d+)\.\d+)$/', trim($constraint), $match);
        if (!$is_minor) {
            preg_match('/^(?:[\^~]\s*)?v?(\d+)(?:\.[\dx*]+)*$/', trim($constraint), $match);
        }
        return (string) end($match);
    }

    private function versionAt($file, $match)
    {
        $line = substr_count(substr((string) file_get_contents($file), 0, $match[1]), "\n") + 1;
        return ['file' => $this->relative($file), 'line' => $line, 'value' => $match[0]];
    }

    /** Returns where the project translates texts of PhalApi in its own words. */
    public function translations($language)
    {
        $found = [];
        $own = $this->texts(self::OWN_TRANSLATIONS, $language)[1] ?? [];
        [$file, $texts] = $this->texts(self::TRANSLATIONS, $language) ?: ['', []];
        $lines = $texts ? Code::keyLines($file, 1, PHP_INT_MAX, false) : [];
        foreach (array_intersect_key($texts, array_flip(self::CHECK_TEXTS)) as $key => $text) {
            if (is_string($text) && $text !== ($own[$key] ?? null)) {
                $found[] = ['file' => $this->relative($file), 'line' => $lines[$key] ?? 1, 'value' => $key];
            }
        }
        return $found;
    }

    private function texts($patterns, $language)
    {
        foreach ($patterns as $pattern) {
            $file = $this->root . '/' . sprintf($pattern, strtolower($language));
            if (is_file($file)) {
                return [$file, (array) (require $file)];
            }
        }
        return null;
    }

    private function relative($path) { return ltrim(substr($path, strlen($this->root)), '/'); }
}
