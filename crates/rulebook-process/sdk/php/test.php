<?php

// Tests of rulebook.php: each test runs a program with handlers, and exchanges messages with it as the server does.
//
//     php sdk/php/test.php

declare(strict_types=1);

require __DIR__ . '/rulebook_testing.php';

use Rulebook\{CallError, Client};

const HANDLERS = <<<'PHP'
<?php
require getenv('LIBRARY');

use Rulebook\{Call, CallError, Failure};
use function Rulebook\{handler, serve};

handler('echo', fn ($value, Call $call) => [
    'value' => $value,
    'caller' => $call->identity ? [$call->identity->name, $call->identity->permissions, $call->identity->claims] : null,
    'request' => $call->requestId,
    'method' => $call->method,
]);
handler('defaults', fn ($first, int $second = 2) => ['first' => $first, 'second' => $second]);
handler('noisy', function () {
    echo 'printed';
    trigger_error('a warning', E_USER_WARNING);
    return null;
});
handler('fails', fn () => throw new Failure('not_found', ['id' => 5], 'not here'));
handler('throws', fn () => throw new RuntimeException("secret \xff"));
handler('nan', fn () => ['value' => NAN]);
handler('empty', fn () => []);
handler('values', fn ($value) => ['float' => 1.0, 'list' => [], 'object' => (object) [], "a\nb" => $value]);
handler('nested', function (Call $call) {
    try {
        return ['outputs' => $call->api('other.get', ['id' => 7])];
    } catch (CallError $error) {
        return ['error' => [$error->getMessage(), $error->name, $error->status, $error->members]];
    }
});
handler('programs', function () {
    // The first one continues in the background, in another session. Both would read the next calls.
    exec('setsid -f cat >/dev/null 2>&1');
    system('echo of a program; cat', $status);
    return ['status' => $status, 'input' => stream_get_contents(fopen('php://stdin', 'r'))];
});
handler('typed', fn (int $id, ?int $count, string $name = '', $any = null, $_now = null) => $id);
handler('rest', fn (mixed ...$arguments) => $arguments);
handler('upload', fn (array $file) => ['content' => file_get_contents($file['path'])]);
serve();
PHP;

// Behaves like the program `rulebook` with the command `call`.
const PROGRAM = <<<'SH'
#!/bin/sh
case $6 in
note.get) printf '{"command": "%s", "data": "%s", "arguments": %s}' "$1 $2" "$(ls "$3")" "${4#--json=}" ;;
note.post)
    echo '{"type": "about:blank", "status": 404, "detail": "not here", "code": "not_found", "id": 5}'
    echo 'a log' >&2
    exit 1 ;;
*) echo 'error: unexpected' >&2; exit 2 ;;
esac
SH;

/** A program with handlers. */
final class Program
{
    /** @var resource */
    private $process;
    /** @var array<int, resource> */
    private array $pipes = [];
    public readonly array $ready;

    public function __construct()
    {
        $script = tempnam(sys_get_temp_dir(), 'rulebook-');
        file_put_contents($script, HANDLERS);
        register_shutdown_function(fn () => unlink($script));
        $environment = ['LIBRARY' => __DIR__ . '/rulebook.php'] + getenv();
        $streams = [['pipe', 'r'], ['pipe', 'w'], ['pipe', 'w']];
        $this->process = proc_open([PHP_BINARY, $script], $streams, $this->pipes, null, $environment);
        $this->ready = $this->receive();
    }

    public function send(array ...$messages): void
    {
        fwrite($this->pipes[0], implode('', array_map(fn ($message) => json_encode($message) . "\n", $messages)));
    }

    public function receive(): array
    {
        return json_decode($this->receiveLine(), true, 512, JSON_THROW_ON_ERROR);
    }

    public function receiveLine(): string
    {
        [$read, $write, $except] = [[$this->pipes[1]], null, null];
        if (stream_select($read, $write, $except, 20) !== 1) {
            throw new Exception('there is no message');
        }
        return fgets($this->pipes[1]);
    }

    public function call(string $method, array $arguments = [], array $params = []): array
    {
        $this->send(message(1, $method, $arguments, $params));
        return $this->receive();
    }

    /** Closes the input, and returns the exit code and what the program has written to standard error. */
    public function finish(): array
    {
        fclose($this->pipes[0]);
        $written = stream_get_contents($this->pipes[2]);
        return [proc_close($this->process), $written];
    }
}

function message(int $id, string $method, array $arguments = [], array $params = []): array
{
    $params += ['arguments' => (object) $arguments, 'identity' => null, 'request_id' => null];
    return ['jsonrpc' => '2.0', 'id' => $id, 'method' => $method, 'params' => $params];
}

function same(mixed $expected, mixed $got): void
{
    if ($expected !== $got) {
        throw new Exception('expected ' . json_encode($expected) . ', got ' . json_encode($got));
    }
}

$tests = [
    'the first message describes the functions' => function () {
        $ready = (new Program())->ready;
        same('ready', $ready['method']);
        $methods = $ready['params']['methods'];
        same(['id', 'count', 'name', 'any'], $methods['typed']['parameters']);
        same(['id'], $methods['typed']['required']);
        same(['type' => 'int', 'accepts' => ['number']], $methods['typed']['annotations']['id']);
        same([[], []], [$methods['rest']['parameters'], $methods['nested']['parameters']]);
        same(1, preg_match('/rulebook-\w+:7$/', $methods['echo']['location']));
    },
    'a handler gets arguments and the call' => function () {
        $identity = ['name' => 'ada', 'permissions' => ['reader'], 'claims' => ['tenant' => 't1']];
        $params = ['identity' => $identity, 'request_id' => 'r1'];
        $response = (new Program())->call('echo', ['value' => "é\n😀"], $params);
        same("é\n😀", $response['result']['value']);
        same(['ada', ['reader'], ['tenant' => 't1']], $response['result']['caller']);
        same(['r1', 'echo'], [$response['result']['request'], $response['result']['method']]);
    },
    'omitted arguments have defaults' => function () {
        $program = new Program();
        same(['first' => null, 'second' => 2], $program->call('defaults')['result']);
        $arguments = ['first' => 1, 'second' => 3, 'third' => 4];
        same(['first' => 1, 'second' => 3], $program->call('defaults', $arguments)['result']);
    },
    'what handlers print goes to standard error' => function () {
        $program = new Program();
        same(null, $program->call('noisy')['result']);
        [$code, $written] = $program->finish();
        same(0, $code);
        same(true, str_contains($written, 'printed') && str_contains($written, 'a warning'));
    },
    'programs that a handler starts do not read calls' => function () {
        $program = new Program();
        $program->send(message(1, 'programs'), message(2, 'defaults'));
        same(['status' => 0, 'input' => ''], $program->receive()['result']);
        same(2, $program->receive()['id']);
        same(['first' => null, 'second' => 2], $program->call('defaults')['result']);
        [$code, $written] = $program->finish();
        same(0, $code);
        same(true, str_contains($written, 'of a program'));
    },
    'a failure is a declared error' => function () {
        $error = (new Program())->call('fails')['error'];
        same(['name' => 'not_found', 'members' => ['id' => 5], 'message' => 'not here'], $error['data']);
    },
    'an exception is an internal error' => function () {
        $program = new Program();
        foreach (['throws' => -32603, 'nan' => -32603, 'unknown' => -32601] as $method => $code) {
            $error = $program->call($method)['error'];
            same($code, $error['code']);
            same($code === -32603, str_contains($error['data']['traceback'] ?? '', "\n#0 "));
        }
        same([], $program->call('empty')['result']);
        same('', $program->finish()[1]);
    },
    'values keep their types' => function () {
        $program = new Program();
        $program->send(message(1, 'values', ['value' => ["c\nd" => [0.5, '', null, ['e' => 1]]]]));
        $outputs = '{"float":1.0,"list":[],"object":{},"a\nb":{"c\nd":[0.5,"",null,{"e":1}]}}';
        same('{"jsonrpc":"2.0","id":1,"result":' . $outputs . "}\n", $program->receiveLine());
        // The server knows from the definition whether this is an object.
        $program->send(message(2, 'empty'));
        same('{"jsonrpc":"2.0","id":2,"result":[]}' . "\n", $program->receiveLine());
    },
    'a handler calls the API while other calls arrive' => function () {
        $program = new Program();
        $program->send(message(1, 'nested'), message(2, 'defaults'));
        $request = $program->receive();
        same(['target' => 'other.get', 'arguments' => ['id' => 7], 'for' => 1], $request['params']);
        $program->send(message(3, 'defaults'), ['jsonrpc' => '2.0', 'id' => $request['id'], 'result' => ['ok' => true]]);
        $responses = [$program->receive(), $program->receive(), $program->receive()];
        same([1, 2, 3], array_column($responses, 'id'));
        same(['outputs' => ['ok' => true]], $responses[0]['result']);
    },
    'a failed call of the API throws' => function () {
        $program = new Program();
        $program->send(message(1, 'nested'));
        $data = ['name' => 'gone', 'status' => 404, 'members' => ['id' => 7]];
        $error = ['code' => -32000, 'message' => 'it is gone', 'data' => $data];
        $program->send(['jsonrpc' => '2.0', 'id' => $program->receive()['id'], 'error' => $error]);
        same(['error' => ['it is gone', 'gone', 404, ['id' => 7]]], $program->receive()['result']);
    },
    'an upload has a path' => function () {
        $file = ['path' => __FILE__, 'name' => 'test.php', 'type' => 'text/plain', 'size' => filesize(__FILE__)];
        same(file_get_contents(__FILE__), (new Program())->call('upload', ['file' => $file])['result']['content']);
    },
    'long lines have their results' => function () {
        $program = new Program();
        foreach ([0, 1, 65_536, 300_000, 10] as $length) {
            same($length, strlen($program->call('echo', ['value' => str_repeat('x', $length)])['result']['value']));
        }
    },
    'a client returns outputs and throws errors' => function () {
        $program = tempnam(sys_get_temp_dir(), 'rulebook-');
        file_put_contents($program, PROGRAM);
        chmod($program, 0755);
        $client = new Client(program: $program);
        $outputs = ['command' => 'call --data', 'data' => '', 'arguments' => ['id' => 5]];
        same($outputs, $client->call('note.get', ['id' => 5]));
        try {
            $client->call('note.post');
        } catch (CallError $error) {
            same(['not_found', 404, ['id' => 5]], [$error->name, $error->status, $error->members]);
            same("note.post: not here\na log", $error->getMessage());
        }
        try {
            $client->call('other');
        } catch (RuntimeException $unexpected) {
            same("other: error: unexpected\n", $unexpected->getMessage());
        }
        unlink($program);
        same(true, isset($error, $unexpected));
    },
    'the program ends with its input' => function () {
        $program = new Program();
        $program->send(message(1, 'nested'));
        $program->receive();
        same(0, $program->finish()[0]);
    },
];

$failed = 0;
foreach ($tests as $name => $test) {
    try {
        $test();
        echo "ok: $name\n";
    } catch (Throwable $error) {
        $failed += 1;
        echo "FAILED: $name: {$error->getMessage()}\n";
    }
}
printf("%d passed, %d failed\n", count($tests) - $failed, $failed);
exit($failed > 0 ? 1 : 0);
