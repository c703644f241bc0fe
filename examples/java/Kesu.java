// Reply to a complaint through Kesu, and hear what became of it.
//
//   java Kesu.java http COMPLAINT TEXT KEY    by HTTP, signed with SigV4
//   java Kesu.java event COMPLAINT TEXT KEY   by event
//   java Kesu.java settled                    read the settled events until none is left
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.services.eventbridge.EventBridgeClient;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.model.Message;

public class Kesu {
    static final ObjectMapper json = new ObjectMapper();
    static final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    static final int TRIES = 5;

    // What to do about each of the four outcomes. Branch on the outcome; the code says why.
    static String told(JsonNode result) {
        String code = result.path("code").asText();
        return switch (result.path("outcome").asText()) {
            case "succeeded" -> "done";
            case "rejected" -> "a person corrects it: " + code + " " + result.path("message").asText(); // not done
            case "retryable" -> "later: " + code; // certainly not done
            default -> "a person looks at the complaint before it is sent again: " + code; // it may have been done
        };
    }

    static String env(String name, String otherwise) {
        String value = System.getenv(name);
        return value == null ? otherwise : value;
    }

    static String byHttp(String complaint, String text, String key) throws Exception {
        URI uri = URI.create(System.getenv("KESU_API_URL") + "/merchants/" + env("KESU_MERCHANT", "acme") + "/complaints/"
            + URLEncoder.encode(complaint, StandardCharsets.UTF_8) + "/reply");
        byte[] body = json.writeValueAsBytes(Map.of("response_content", text));
        for (int left = TRIES - 1; ; left--) {
            // Without an answer, or with one that is not Kesu's, asking again tells what became of it.
            JsonNode result = json.createObjectNode().put("outcome", "retryable").put("code", "no answer");
            long wait = 1;
            try {
                HttpResponse<byte[]> answer = client.send(signed(uri, body, key), HttpResponse.BodyHandlers.ofByteArray());
                JsonNode told = json.readTree(answer.body());
                if (told.has("outcome")) {
                    result = told;
                    wait = answer.headers().firstValueAsLong("Retry-After").orElse(1);
                }
            } catch (IOException e) {
                // as above
            }
            if (!result.path("outcome").asText().equals("retryable") || left == 0) {
                return told(result);
            }
            Thread.sleep(wait * 1000);
        }
    }

    // A request is signed anew each time: a signature holds for five minutes. The idempotency key stays the same, so that
    // Kesu carries it out once, however often it is sent.
    static HttpRequest signed(URI uri, byte[] body, String key) {
        SdkHttpRequest plain = SdkHttpRequest.builder().method(SdkHttpMethod.POST).uri(uri)
            .putHeader("Content-Type", "application/json").putHeader("Idempotency-Key", key).build();
        ContentStreamProvider content = () -> new ByteArrayInputStream(body);
        SdkHttpRequest signed = AwsV4HttpSigner.create().sign(r -> r
            .identity(DefaultCredentialsProvider.builder().build().resolveCredentials())
            .request(plain).payload(content)
            .putProperty(AwsV4HttpSigner.SERVICE_SIGNING_NAME, "execute-api")
            .putProperty(AwsV4HttpSigner.REGION_NAME, System.getenv("AWS_REGION"))).request();
        HttpRequest.Builder request = HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(35))
            .POST(HttpRequest.BodyPublishers.ofByteArray(body));
        for (Map.Entry<String, List<String>> header : signed.headers().entrySet()) {
            if (!header.getKey().equalsIgnoreCase("Host")) { // which the client sets itself
                header.getValue().forEach(value -> request.header(header.getKey(), value));
            }
        }
        return request.build();
    }

    static String byEvent(String complaint, String text, String key) throws Exception {
        String detail = json.writeValueAsString(Map.of("merchant", env("KESU_MERCHANT", "acme"), "complaint_id", complaint,
            "response_content", text, "idempotency_key", key));
        try (EventBridgeClient events = EventBridgeClient.create()) {
            var entry = events.putEvents(r -> r.entries(e -> e.eventBusName(System.getenv("KESU_BUS")).source("shop")
                .detailType("ComplaintReplyRequested").detail(detail))).entries().get(0);
            // PutEvents answers 200 for what it did not take, too.
            return entry.eventId() != null ? "sent" : "not sent: " + entry.errorCode();
        }
    }

    static void settled() throws Exception {
        String queue = System.getenv("KESU_QUEUE_URL");
        try (SqsClient sqs = SqsClient.create()) {
            for (;;) {
                List<Message> messages = sqs.receiveMessage(r -> r.queueUrl(queue).maxNumberOfMessages(10).waitTimeSeconds(2)).messages();
                if (messages.isEmpty()) {
                    return;
                }
                for (Message message : messages) {
                    JsonNode event = json.readTree(message.body()), result = event.path("detail");
                    System.out.println(event.path("detail-type").asText() + " " + result.path("complaint_id").asText() + " " + told(result));
                    if (result.has("request")) { // with rejected and unknown: the words, to correct or to send again
                        System.out.println("  it said " + result.path("request").path("response_content").asText());
                    }
                    // An event may come twice: whoever acts on one must find out that he did before, by its complaint and key.
                    sqs.deleteMessage(r -> r.queueUrl(queue).receiptHandle(message.receiptHandle()));
                }
            }
        }
    }

    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "http" -> System.out.println(byHttp(args[1], args[2], args[3]));
            case "event" -> System.out.println(byEvent(args[1], args[2], args[3]));
            case "settled" -> settled();
            default -> throw new IllegalArgumentException(args[0]);
        }
    }
}
