<?php
// Reads one query per line, and prints for each query one line of JSON: what PHP's `parse_str` reads for `x`.
//
// `json` is the value as `json_encode` writes it, `object` and `list` are the same with the outermost array as an object
// or as a list in the order of its indexes (null if a key is a name). `count` is the number of texts in the value.

function count_texts($value) {
    return is_array($value) ? array_sum(array_map('count_texts', $value)) : 1;
}

$flags = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_LINE_TERMINATORS | JSON_THROW_ON_ERROR;
fwrite(STDOUT, PHP_VERSION . "\n");
while (($query = fgets(STDIN)) !== false) {
    parse_str(rtrim($query, "\n"), $fields);
    if (!array_key_exists('x', $fields)) {
        fwrite(STDOUT, "null\n");
        continue;
    }
    $x = $fields['x'];
    $result = ['json' => $x, 'count' => count_texts($x)];
    if (is_array($x)) {
        $result['object'] = (object) $x;
        $has_names = array_filter(array_keys($x), 'is_string') !== [];
        ksort($x);
        $result['list'] = $has_names ? null : array_values($x);
    }
    fwrite(STDOUT, json_encode($result, $flags) . "\n");
}
