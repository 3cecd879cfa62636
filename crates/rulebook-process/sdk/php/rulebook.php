<?php

/**
 * Handlers of a rulebook API in PHP.
 *
 *     require 'rulebook.php';
 *
 *     use function Rulebook\{handler, serve};
 *     use Rulebook\{Call, Failure};
 *
 *     handler('note.get', function (int $id, Call $call): array {
 *         $note = $notes[$id] ?? throw new Failure('not_found', ['id' => $id]);
 *         return ['note' => $note, 'by' => $call->api('user.get', ['id' => $note['user']])['name']];
 *     });
 *
 *     serve();
 *
 * A handler gets the arguments of its method by name. An argument that the client has omitted is the default of the
 * parameter, or null. The handler returns the outputs: an array, an object, or the value of the output `*`. A
 * parameter of the type `Call` gets the call itself.
 *
 * This file needs PHP 8.1 or later, and nothing else.
 */

declare(strict_types=1);

namespace Rulebook;

const METHOD_NOT_FOUND = -32601;
const INTERNAL_ERROR = -32603;
const DECLARED_ERROR = -32000;

/** The number of bytes that are read at once. */
const READ_SIZE = 65536;
/** Results are written together if they are ready within this number of seconds. */
const FLUSH_INTERVAL = 0.0005;

/** An error that the definition declares for the method. The members are added to the response. */
final class Failure extends \Exception
{
    /**
     * @param string $name the name in the definition
     * @param array<string, mixed> $members
     * @param string|null $clientMessage replaces the message in the definition
     */
    public function __construct(
        public readonly string $name,
        public readonly array $members = [],
        public readonly ?string $clientMessage = null,
    ) {
        parent::__construct($name);
    }
}

/**
 * The error of a call of the API. `name` is the name of a declared error, or the code of another error, such as
 * `forbidden`. `status` is its HTTP status, or null if the call could not be made.
 */
final class CallError extends \Exception
{
    /** @param array<string, mixed> $members */
    public function __construct(
        string $message,
        public readonly ?string $name = null,
        public readonly ?int $status = null,
        public readonly array $members = [],
    ) {
        parent::__construct($message);
    }
}

/** The caller. */
final class Identity
{
    /**
     * @param list<string> $permissions
     * @param array<string, mixed> $claims the claims of its token
     */
    public function __construct(
        public readonly string $name,
        public readonly array $permissions,
        public readonly array $claims = [],
    ) {
    }
}

/** A call that a handler handles. */
final class Call
{
    public readonly ?Identity $identity;
    public readonly ?string $requestId;
    /** The header field `traceparent` for requests to other servers; null if the request has no trace. */
    public readonly ?string $traceparent;

    /** @param array<string, mixed> $params */
    public function __construct(
        private readonly Worker $worker,
        private readonly int $id,
        public readonly string $method,
        array $params,
    ) {
        $identity = $params['identity'];
        $this->identity = $identity === null
            ? null
            : new Identity($identity['name'], $identity['permissions'], $identity['claims'] ?? []);
        $this->requestId = $params['request_id'];
        $this->traceparent = $params['traceparent'] ?? null;
    }

    /**
     * Calls a method of the API with the permissions of the caller, and returns its outputs.
     *
     * @param string $target the id of the method, such as `user.get`, or an HTTP method and a path
     * @param array<string, mixed> $arguments
     * @throws CallError if the call fails
     */
    public function api(string $target, array $arguments = []): mixed
    {
        return $this->worker->api($this->id, $target, $arguments);
    }
}

/**
 * A registered function, and which arguments it gets.
 *
 * @internal
 */
final class Handler
{
    private ?string $callName = null;
    private bool $takesAll = false;
    /** @var array<string, bool> whether each parameter is required */
    private array $parameters = [];
    /** @var array<string, mixed> the function for the server, which compares it with the definition */
    public readonly array $description;

    public function __construct(private readonly \Closure $function)
    {
        $reflection = new \ReflectionFunction($function);
        [$names, $needsValue, $annotations] = [[], [], []];
        foreach ($reflection->getParameters() as $parameter) {
            $type = $parameter->getType();
            if ($parameter->isVariadic()) {
                $this->takesAll = true;
            } elseif ($type instanceof \ReflectionNamedType && $type->getName() === Call::class) {
                $this->callName = $parameter->getName();
            } else {
                $name = $parameter->getName();
                $this->parameters[$name] = !$parameter->isOptional();
                // The underscore marks parameters of the program itself.
                if (!$parameter->isOptional() || $name[0] !== '_') {
                    $names[] = $name;
                }
                if (!$parameter->isOptional() && !$parameter->allowsNull()) {
                    $needsValue[] = $name;
                }
                $accepted = self::acceptedTypes($type);
                if ($accepted !== null) {
                    $annotations[$name] = ['type' => (string) $type, 'accepts' => $accepted];
                }
            }
        }
        $path = str_replace(getcwd() . '/', '', (string) $reflection->getFileName());
        $this->description = [
            'function' => $reflection->getName(),
            'location' => $path . ':' . $reflection->getStartLine(),
            'parameters' => $names,
            'required' => $needsValue,
            'annotations' => (object) $annotations,
        ];
    }

    /** @return list<string>|null the JSON types of the arguments that a type accepts; null if they are not known */
    private static function acceptedTypes(?\ReflectionType $type): ?array
    {
        $accepted = $type?->allowsNull() ? ['null'] : [];
        foreach ($type instanceof \ReflectionUnionType ? $type->getTypes() : [$type] as $member) {
            $found = match ($member instanceof \ReflectionNamedType ? $member->getName() : '') {
                'int', 'float' => ['number'],
                'string' => ['string'],
                'bool', 'true', 'false' => ['boolean'],
                'array' => ['array', 'object'],
                // No argument is an object of PHP.
                'object', 'null' => [],
                default => null,
            };
            if ($found === null) {
                return null;
            }
            array_push($accepted, ...$found);
        }
        return $accepted;
    }

    /** @param array<string, mixed> $arguments */
    public function run(array $arguments, Call $call): mixed
    {
        if (!$this->takesAll) {
            $arguments = array_intersect_key($arguments, $this->parameters);
        }
        foreach ($this->parameters as $name => $isRequired) {
            if ($isRequired && !array_key_exists($name, $arguments)) {
                $arguments[$name] = null;
            }
        }
        if ($this->callName !== null) {
            $arguments[$this->callName] = $call;
        }
        return ($this->function)(...$arguments);
    }
}

/**
 * Exchanges messages with the server, and runs the handlers one after the other.
 *
 * @internal
 */
final class Worker
{
    /** @var array<string, Handler> */
    public static array $handlers = [];
    /** @var resource|false the standard input of programs that handlers start */
    private static $nothing = false;

    /** @var list<string> */
    private array $lines = [];
    private string $rest = '';
    private string $results = '';
    private int $lastApiCall = 0;

    /**
     * @param resource $input
     * @param resource $output
     */
    public function __construct(private $input, private $output)
    {
    }

    /**
     * Returns the pipe with the calls under another number than 0, so that a program that a handler starts does not
     * read them: its standard input is empty.
     *
     * @return resource
     */
    public static function input()
    {
        $input = fopen('php://fd/0', 'r');
        if ($input === false) {
            return STDIN;
        }
        fclose(STDIN);
        // The system gives a new file the smallest free number, which is 0.
        self::$nothing = fopen('/dev/null', 'r');
        return $input;
    }

    public function run(): void
    {
        $methods = array_map(static fn (Handler $handler): array => $handler->description, self::$handlers);
        $ready = ['jsonrpc' => '2.0', 'method' => 'ready', 'params' => ['methods' => (object) $methods]];
        $this->write(self::encode($ready) . "\n");
        while (true) {
            $this->flush();
            if ($this->lines === [] && !$this->read()) {
                return;
            }
            $lines = $this->lines;
            $this->lines = [];
            $flushed = microtime(true);
            foreach ($lines as $line) {
                // A handler that calls the API reads further lines, which follow these.
                $this->results .= $this->handle(self::decode($line));
                // A result must not wait for the calls after it if these take long.
                if (microtime(true) - $flushed > FLUSH_INTERVAL) {
                    $this->flush();
                    $flushed = microtime(true);
                }
            }
        }
    }

    /** @param array<string, mixed> $arguments */
    public function api(int $id, string $target, array $arguments): mixed
    {
        $request = 'c' . ++$this->lastApiCall;
        $params = ['target' => $target, 'arguments' => (object) $arguments, 'for' => $id];
        $line = self::encode(['jsonrpc' => '2.0', 'id' => $request, 'method' => 'call', 'params' => $params]);
        $this->flush();
        $this->write($line . "\n");
        $seen = 0;
        while (true) {
            // Further calls can arrive before the response.
            for (; $seen < count($this->lines); $seen++) {
                $message = self::decode($this->lines[$seen]);
                if (isset($message['method']) || ($message['id'] ?? null) !== $request) {
                    continue;
                }
                array_splice($this->lines, $seen, 1);
                if (!isset($message['error'])) {
                    return $message['result'];
                }
                $data = $message['error']['data'] ?? [];
                $members = $data['members'] ?? [];
                throw new CallError($message['error']['message'], $data['name'] ?? null, $data['status'] ?? null, $members);
            }
            if (!$this->read()) {
                throw new CallError('the server has ended');
            }
        }
    }

    /**
     * Runs the handler of a call, and returns the line with its result.
     *
     * @param array<string, mixed> $message
     */
    private function handle(array $message): string
    {
        $id = $message['id'];
        $method = $message['method'] ?? '';
        $handler = self::$handlers[$method] ?? null;
        if ($handler === null) {
            return self::error($id, METHOD_NOT_FOUND, "there is no handler for $method");
        }
        try {
            $call = new Call($this, $id, $method, $message['params']);
            $outputs = $handler->run($message['params']['arguments'], $call);
            // The server takes an empty array for an object without members if the definition has an object.
            return "{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":" . self::encode($outputs) . "}\n";
        } catch (Failure $failure) {
            $data = ['name' => $failure->name, 'members' => (object) $failure->members];
            if ($failure->clientMessage !== null) {
                $data['message'] = $failure->clientMessage;
            }
            try {
                return self::error($id, DECLARED_ERROR, $failure->name, $data);
            } catch (\JsonException $error) {
                return self::unexpected($id, $error);
            }
        } catch (\Throwable $error) {
            return self::unexpected($id, $error);
        }
    }

    private static function unexpected(int $id, \Throwable $error): string
    {
        $message = get_class($error) . ': ' . $error->getMessage();
        return self::error($id, INTERNAL_ERROR, $message, ['traceback' => (string) $error]);
    }

    /** @param array<string, mixed>|null $data */
    private static function error(int $id, int $code, string $message, ?array $data = null): string
    {
        $error = ['code' => $code, 'message' => $message];
        if ($data !== null) {
            $error['data'] = $data;
        }
        // The message of an exception can contain bytes that are not UTF-8.
        $flags = $code === DECLARED_ERROR ? 0 : JSON_INVALID_UTF8_SUBSTITUTE;
        return self::encode(['jsonrpc' => '2.0', 'id' => $id, 'error' => $error], $flags) . "\n";
    }

    /** Reads more lines. Returns false at the end of the input. */
    private function read(): bool
    {
        do {
            $chunk = fread($this->input, READ_SIZE);
            if ($chunk === false || $chunk === '') {
                return false;
            }
            $this->rest .= $chunk;
        } while (!str_contains($chunk, "\n"));
        $lines = explode("\n", $this->rest);
        $this->rest = array_pop($lines);
        array_push($this->lines, ...$lines);
        return true;
    }

    private function flush(): void
    {
        if ($this->results !== '') {
            $this->write($this->results);
            $this->results = '';
        }
    }

    private function write(string $text): void
    {
        while ($text !== '') {
            $written = @fwrite($this->output, $text);
            if ($written === false || $written === 0) {
                // The server has ended.
                exit(0);
            }
            $text = substr($text, $written);
        }
    }

    private static function encode(mixed $value, int $flags = 0): string
    {
        return json_encode($value, $flags | JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION);
    }

    /** @return array<string, mixed> */
    private static function decode(string $line): array
    {
        return json_decode($line, true, 512, JSON_THROW_ON_ERROR | JSON_BIGINT_AS_STRING);
    }
}

/** Registers a function as the handler of the method with this id, such as `note.get`. */
function handler(string $method, callable $function): void
{
    if (isset(Worker::$handlers[$method])) {
        throw new \LogicException("there are two handlers for $method");
    }
    Worker::$handlers[$method] = new Handler(\Closure::fromCallable($function));
}

/**
 * Handles calls until the server ends. What handlers print goes to standard error, and so to the log of the server.
 * Handlers and the programs that they start have an empty standard input; the constant `STDIN` is closed.
 */
function serve(): void
{
    ini_set('display_errors', 'stderr');
    set_time_limit(0);
    ob_start(static function (string $printed): string {
        fwrite(STDERR, $printed);
        return '';
    }, 1);
    $input = Worker::input();
    stream_set_read_buffer($input, 0);
    (new Worker($input, STDOUT))->run();
}
