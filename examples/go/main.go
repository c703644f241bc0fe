// Command go replies to a complaint through Kesu, and hears what became of it.
//
//	go run . http COMPLAINT TEXT KEY    by HTTP, signed with SigV4
//	go run . event COMPLAINT TEXT KEY   by event
//	go run . settled                    read the settled events until none is left
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

const tries = 5

var client = http.Client{Timeout: 35 * time.Second}

// result is the part of an answer, and of a settled event, that is looked at here.
type result struct {
	ComplaintID string `json:"complaint_id"`
	Outcome     string `json:"outcome"`
	Code        string `json:"code"`
	Message     string `json:"message"`
	Request     *struct {
		ResponseContent string `json:"response_content"`
	} `json:"request"`
}

// told says what to do about each of the four outcomes. Branch on the outcome; the code says why.
func told(r result) string {
	switch r.Outcome {
	case "succeeded":
		return "done"
	case "rejected": // it was not done, and will not be done as it stands
		return "a person corrects it: " + r.Code + " " + r.Message
	case "retryable": // it was certainly not done
		return "later: " + r.Code
	}
	return "a person looks at the complaint before it is sent again: " + r.Code // it may have been done
}

func merchant() string {
	if name := os.Getenv("KESU_MERCHANT"); name != "" {
		return name
	}
	return "acme"
}

func byHTTP(ctx context.Context, c aws.Config, complaint, text, key string) (string, error) {
	address := os.Getenv("KESU_API_URL") + "/merchants/" + merchant() + "/complaints/" + url.PathEscape(complaint) + "/reply"
	body, err := json.Marshal(map[string]string{"response_content": text})
	if err != nil {
		return "", err
	}
	for left := tries - 1; ; left-- {
		// A request is signed anew each time: a signature holds for five minutes. The idempotency key stays the same, so
		// that Kesu carries it out once, however often it is sent.
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
		if err != nil {
			return "", err
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Idempotency-Key", key)
		credentials, err := c.Credentials.Retrieve(ctx)
		if err != nil {
			return "", err
		}
		sum := sha256.Sum256(body)
		hash := hex.EncodeToString(sum[:])
		if err := v4.NewSigner().SignHTTP(ctx, credentials, request, hash, "execute-api", c.Region, time.Now()); err != nil {
			return "", err
		}
		r, wait := send(request)
		if r.Outcome != "retryable" || left == 0 {
			return told(r), nil
		}
		time.Sleep(wait)
	}
}

// send gives the answer and how long to wait before the request is sent again. Without an answer, or with one that is not
// Kesu's, asking again tells what became of it.
func send(request *http.Request) (result, time.Duration) {
	none := result{Outcome: "retryable", Code: "no answer"}
	answer, err := client.Do(request)
	if err != nil {
		return none, time.Second
	}
	defer answer.Body.Close()
	var r result
	if json.NewDecoder(answer.Body).Decode(&r) != nil || r.Outcome == "" {
		return none, time.Second
	}
	seconds, err := strconv.Atoi(answer.Header.Get("Retry-After"))
	if err != nil {
		seconds = 1
	}
	return r, time.Duration(seconds) * time.Second
}

func byEvent(ctx context.Context, c aws.Config, complaint, text, key string) (string, error) {
	detail, err := json.Marshal(map[string]string{"merchant": merchant(), "complaint_id": complaint, "response_content": text, "idempotency_key": key})
	if err != nil {
		return "", err
	}
	answer, err := eventbridge.NewFromConfig(c).PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		EventBusName: aws.String(os.Getenv("KESU_BUS")), Source: aws.String("shop"),
		DetailType: aws.String("ComplaintReplyRequested"), Detail: aws.String(string(detail))}}})
	if err != nil {
		return "", err
	}
	if entry := answer.Entries[0]; entry.EventId == nil { // PutEvents answers 200 for what it did not take, too
		return "not sent: " + aws.ToString(entry.ErrorCode), nil
	}
	return "sent", nil
}

func settled(ctx context.Context, c aws.Config) error {
	client, queue := sqs.NewFromConfig(c), aws.String(os.Getenv("KESU_QUEUE_URL"))
	for {
		answer, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue, MaxNumberOfMessages: 10, WaitTimeSeconds: 2})
		if err != nil || len(answer.Messages) == 0 {
			return err
		}
		for _, message := range answer.Messages {
			var event struct {
				DetailType string `json:"detail-type"`
				Detail     result `json:"detail"`
			}
			if err := json.Unmarshal([]byte(*message.Body), &event); err != nil {
				return err
			}
			fmt.Println(event.DetailType, event.Detail.ComplaintID, told(event.Detail))
			if r := event.Detail.Request; r != nil { // with rejected and unknown: the words, to correct or to send again
				fmt.Println("  it said", r.ResponseContent)
			}
			// An event may come twice: whoever acts on one must find out that he did before, by its complaint and key.
			if _, err := client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: queue, ReceiptHandle: message.ReceiptHandle}); err != nil {
				return err
			}
		}
	}
}

func main() {
	ctx := context.Background()
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		log.Fatal(err)
	}
	said := ""
	switch args := os.Args[1:]; {
	case len(args) == 4 && args[0] == "http":
		said, err = byHTTP(ctx, c, args[1], args[2], args[3])
	case len(args) == 4 && args[0] == "event":
		said, err = byEvent(ctx, c, args[1], args[2], args[3])
	case len(args) == 1 && args[0] == "settled":
		err = settled(ctx, c)
	default:
		log.Fatal("http COMPLAINT TEXT KEY, event COMPLAINT TEXT KEY, or settled")
	}
	if err != nil {
		log.Fatal(err)
	}
	if said != "" {
		fmt.Println(said)
	}
}
