<?php
// Reply to a complaint through Kesu, and hear what became of it.
//
//   php kesu.php http COMPLAINT TEXT KEY    by HTTP, signed with SigV4
//   php kesu.php event COMPLAINT TEXT KEY   by event
//   php kesu.php settled                    read the settled events until none is left
//
// It uses AsyncAws (async-aws/core and async-aws/sqs of Composer, or Debian's packages php-async-aws-core and
// php-async-aws-sqs).
use AsyncAws\Core\Configuration;
use AsyncAws\Core\Credentials\ChainProvider;
use AsyncAws\Core\Request;
use AsyncAws\Core\RequestContext;
use AsyncAws\Core\Signer\SignerV4;
use AsyncAws\Core\Stream\StringStream;
use AsyncAws\Sqs\SqsClient;
use Symfony\Component\HttpClient\HttpClient;

foreach ([__DIR__ . '/vendor/autoload.php', 'AsyncAws/Sqs/autoload.php'] as $autoload) {
    if (stream_resolve_include_path($autoload)) {
        require_once $autoload;
        break;
    }
}

const TRIES = 5;

// What to do about each of the four outcomes. Branch on the outcome; the code says why.
function told(array $result): string
{
    return match ($result['outcome']) {
        'succeeded' => 'done',
        'rejected' => "a person corrects it: {$result['code']} {$result['message']}", // not done, nor to be done as it stands
        'retryable' => "later: {$result['code']}", // certainly not done
        default => "a person looks at the complaint before it is sent again: {$result['code']}", // it may have been done
    };
}

// signed sends a POST that is signed for an AWS service, and gives the answer.
function signed(string $service, string $url, array $headers, array $members): \Symfony\Contracts\HttpClient\ResponseInterface
{
    $body = json_encode($members, JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR);
    $request = new Request('POST', '/', [], $headers, StringStream::create($body));
    $request->setEndpoint($url);
    $http = HttpClient::create(['timeout' => 35]);
    $credentials = ChainProvider::createDefaultChain($http)->getCredentials(Configuration::create([]));
    (new SignerV4($service, getenv('AWS_REGION')))->sign($request, $credentials, new RequestContext());
    return $http->request('POST', $url, ['headers' => $request->getHeaders(), 'body' => $body]);
}

function byHttp(string $complaint, string $text, string $key): string
{
    $url = getenv('KESU_API_URL') . '/merchants/' . (getenv('KESU_MERCHANT') ?: 'acme') . '/complaints/' . rawurlencode($complaint) . '/reply';
    for ($left = TRIES - 1; ; $left--) {
        // A request is signed anew each time: a signature holds for five minutes. The idempotency key stays the same, so
        // that Kesu carries it out once, however often it is sent.
        try {
            $headers = ['content-type' => 'application/json', 'idempotency-key' => $key];
            $answer = signed('execute-api', $url, $headers, ['response_content' => $text]);
            $result = $answer->toArray(false) + ['outcome' => 'retryable', 'code' => 'no answer'];
            $wait = (int) ($answer->getHeaders(false)['retry-after'][0] ?? 1);
        } catch (\Symfony\Contracts\HttpClient\Exception\ExceptionInterface) { // no answer, or none of Kesu's: ask again
            [$result, $wait] = [['outcome' => 'retryable', 'code' => 'no answer'], 1];
        }
        if ($result['outcome'] !== 'retryable' || $left === 0) {
            return told($result);
        }
        sleep($wait);
    }
}

function byEvent(string $complaint, string $text, string $key): string
{
    $detail = ['merchant' => getenv('KESU_MERCHANT') ?: 'acme', 'complaint_id' => $complaint, 'response_content' => $text, 'idempotency_key' => $key];
    $url = getenv('AWS_ENDPOINT_URL_EVENTBRIDGE') ?: 'https://events.' . getenv('AWS_REGION') . '.amazonaws.com';
    $answer = signed('events', $url . '/', ['content-type' => 'application/x-amz-json-1.1', 'x-amz-target' => 'AWSEvents.PutEvents'], ['Entries' => [[
        'EventBusName' => getenv('KESU_BUS'), 'Source' => 'shop', 'DetailType' => 'ComplaintReplyRequested',
        'Detail' => json_encode($detail, JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR)]]]);
    $entry = $answer->toArray()['Entries'][0]; // PutEvents answers 200 for what it did not take, too
    return isset($entry['EventId']) ? 'sent' : "not sent: {$entry['ErrorCode']}";
}

function settled(): void
{
    $queue = getenv('KESU_QUEUE_URL');
    $sqs = new SqsClient(array_filter(['region' => getenv('AWS_REGION'), 'endpoint' => getenv('AWS_ENDPOINT_URL_SQS')]));
    while ($messages = $sqs->receiveMessage(['QueueUrl' => $queue, 'MaxNumberOfMessages' => 10, 'WaitTimeSeconds' => 2])->getMessages()) {
        foreach ($messages as $message) {
            $event = json_decode($message->getBody(), true, 64, JSON_THROW_ON_ERROR);
            $result = $event['detail'];
            echo "{$event['detail-type']} {$result['complaint_id']} ", told($result), "\n";
            if (isset($result['request'])) { // with rejected and unknown: the words, to correct or to send again
                echo "  it said {$result['request']['response_content']}\n";
            }
            // An event may come twice: whoever acts on one must find out that he did before, by its complaint and key.
            $sqs->deleteMessage(['QueueUrl' => $queue, 'ReceiptHandle' => $message->getReceiptHandle()])->resolve();
        }
    }
}

match ($argv[1]) {
    'http' => print(byHttp(...array_slice($argv, 2)) . "\n"),
    'event' => print(byEvent(...array_slice($argv, 2)) . "\n"),
    'settled' => settled(),
};
