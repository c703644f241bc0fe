// Package mototest runs moto_server, a stand-in for AWS over HTTP, for the tests that need a DynamoDB which is not ours.
package mototest

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Require is the environment variable that, set to "1", makes a missing moto_server a failure.
const Require = "KESU_REQUIRE_MOTO"

const (
	startBound = 2 * time.Minute // a cold Python on a busy machine
	starts     = 3               // another process may take the free port first
	callBound  = 2 * time.Minute
)

// Start runs moto_server on a free port until the test ends and returns its address, "http://127.0.0.1:PORT".
//
// Where moto_server is not installed it logs that in one line and returns "", and the caller leaves its test out; with
// KESU_REQUIRE_MOTO=1 that is a failure.
func Start(t testing.TB) (endpoint string) {
	t.Helper()
	path, err := exec.LookPath("moto_server")
	if err != nil {
		const missing = "left out the conformance of DynamoDB: it needs moto_server (pip install 'moto[server]')"
		if os.Getenv(Require) == "1" {
			t.Fatal(missing)
		}
		t.Log(missing)
		return ""
	}
	var last error
	for range starts {
		if endpoint, last = start(t, path); last == nil {
			return oneAtATime(t, endpoint)
		}
	}
	t.Fatal(last)
	return ""
}

// oneAtATime stands before moto and lets one call to DynamoDB or Secrets Manager through after the other. Both check a
// condition and write in one step; moto does so in two, and between them another call could write.
func oneAtATime(t testing.TB, endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	var turn sync.Mutex
	proxy := httputil.NewSingleHostReverseProxy(u)
	proxy.ErrorLog = log.New(io.Discard, "", 0) // a caller that went away
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if service := r.Header.Get("X-Amz-Target"); strings.HasPrefix(service, "DynamoDB") || strings.HasPrefix(service, "secretsmanager") {
			turn.Lock()
			defer turn.Unlock()
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// start makes one try on one port.
func start(t testing.TB, path string) (string, error) {
	port, err := freePort()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(path, "-H", "127.0.0.1", "-p", port)
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("moto_server does not start: %w", err)
	}
	gone := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended does not matter: it is killed below
		close(gone)
	}()
	stop := func() {
		_ = cmd.Process.Kill()
		<-gone
	}
	endpoint := "http://127.0.0.1:" + port
	if err := answers(endpoint, gone); err != nil {
		stop()
		return "", err
	}
	t.Cleanup(stop)
	return endpoint, nil
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// answers waits until moto's own page is served, so that another process on the port is not taken for it.
func answers(endpoint string, gone <-chan struct{}) error {
	client := &http.Client{Timeout: time.Second}
	bound := time.NewTimer(startBound)
	defer bound.Stop()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case <-gone:
			return fmt.Errorf("moto_server ended before it answered on %s", endpoint)
		case <-bound.C:
			return fmt.Errorf("moto_server does not answer on %s within %v", endpoint, startBound)
		case <-poll.C:
		}
		resp, err := client.Get(endpoint + "/moto-api/data.json")
		if err != nil {
			continue
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return nil
		}
	}
}

// Client is a client of the DynamoDB at endpoint. options may change anything, the retries and the transport too.
func Client(endpoint string, options ...func(*dynamodb.Options)) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String(endpoint),
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
	}, options...)
}

// CreateTable makes an empty ledger table, as template.yaml describes it.
func CreateTable(t testing.TB, endpoint, table string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), callBound)
	defer cancel()
	client := Client(endpoint)
	_, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName:   aws.String(table),
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		t.Fatalf("create the table %s: %v", table, err)
	}
	_, err = client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName: aws.String(table),
		TimeToLiveSpecification: &types.TimeToLiveSpecification{
			AttributeName: aws.String("expires_at"), Enabled: aws.Bool(true),
		},
	})
	if err != nil {
		t.Fatalf("switch on expiry for the table %s: %v", table, err)
	}
}
