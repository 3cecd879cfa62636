<?php

/**
 * Calls of methods in tests: the program `rulebook` checks the arguments, runs the handler and checks the outputs.
 *
 *     require 'rulebook_testing.php';
 *
 *     $reader = new Rulebook\Client(scope: ['reader']);
 *     assert($reader->call('note.get', ['id' => 1]) === ['text' => 'Buy bread']);
 */

declare(strict_types=1);

namespace Rulebook;

require_once __DIR__ . '/rulebook.php';

/** Calls methods of the API as a server does, without a server. */
final class Client
{
    /** @var list<string> */
    private array $command;

    /**
     * @param list<string>|null $scope the permissions of the caller, who is anonymous without it
     * @param string $folder the folder in which the server would be started
     * @param string $program the name or the path of the program `rulebook`
     */
    public function __construct(
        ?array $scope = null,
        private readonly string $folder = __DIR__,
        string $program = 'rulebook',
    ) {
        // An empty data folder for this client.
        $data = sys_get_temp_dir() . '/rulebook-' . bin2hex(random_bytes(8));
        mkdir($data, 0700);
        register_shutdown_function(static fn () => exec('rm -rf ' . escapeshellarg($data)));
        $this->command = [$program, 'call', '--data', $data];
        if ($scope !== null) {
            $this->command[] = '--scope=' . implode(',', $scope);
        }
    }

    /**
     * Calls a method, and returns its outputs.
     *
     * @param string $target the id of the method, such as `note.get`, or an HTTP method and a path
     * @param array<string, mixed> $arguments the arguments by the names of the parameters in code
     * @throws CallError for an error response, with the log of an internal error in its message
     * @throws \RuntimeException if the API does not start
     */
    public function call(string $target, array $arguments = []): mixed
    {
        $json = json_encode((object) $arguments, JSON_THROW_ON_ERROR);
        // A file has place for any number of errors, so that the program never waits.
        $errors = tmpfile();
        $streams = [['file', '/dev/null', 'r'], ['pipe', 'w'], $errors];
        $process = proc_open([...$this->command, "--json=$json", '--', $target], $streams, $pipes, $this->folder);
        $printed = $process === false ? '' : stream_get_contents($pipes[1]);
        $status = $process === false ? -1 : proc_close($process);
        rewind($errors);
        $log = stream_get_contents($errors);
        $response = json_decode($printed, true, 512, JSON_BIGINT_AS_STRING);
        if ($response === null && trim($printed) !== 'null') {
            throw new \RuntimeException("$target: $printed$log");
        }
        if ($status === 0) {
            return $response;
        }
        $members = array_diff_key($response, array_flip(['type', 'title', 'status', 'detail', 'code']));
        $message = rtrim("$target: {$response['detail']}\n$log");
        throw new CallError($message, $response['code'], $response['status'], $members);
    }
}
