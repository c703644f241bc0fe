package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kesu-go/kesu/internal/doctor"
	"github.com/kesu-go/kesu/internal/sandbox"
)

// account stands in for the services of AWS that kesu doctor asks: CloudFormation, Lambda, STS, IAM, and Secrets Manager,
// whose reading of one secret it leaves to the sandbox.
type account struct {
	assume   bool   // the function's role may be assumed
	decision string // IAM's
	list     []string
	refusal  string // the exception that GetSecretValue gives, and its message behind a colon
}

const functionRole = "arn:aws:iam::123456789012:role/kesu-reply"

func (a *account) serve(t *testing.T, c *clinic) []string {
	t.Helper()
	behind, err := url.Parse(c.Secrets.URL())
	if err != nil {
		t.Fatal(err)
	}
	secrets := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(behind) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		form, _ := url.ParseQuery(string(body))
		switch target := r.Header.Get("X-Amz-Target"); {
		case target == "secretsmanager.ListSecrets":
			var names []map[string]string
			for _, name := range a.list {
				names = append(names, map[string]string{"Name": name})
			}
			answerJSON(w, 200, map[string]any{"SecretList": names})
		case target == "secretsmanager.GetSecretValue" && a.refusal != "":
			code, message, _ := strings.Cut(a.refusal, ":")
			answerJSON(w, 400, map[string]string{"__type": code, "message": message})
		case target == "secretsmanager.GetSecretValue", target == "secretsmanager.PutSecretValue", target == "secretsmanager.UpdateSecretVersionStage":
			secrets.ServeHTTP(w, r)
		case target != "":
			answerJSON(w, 400, map[string]string{"__type": "ResourceNotFoundException"})
		case strings.HasPrefix(r.URL.Path, "/2015-03-31/functions/"):
			answerJSON(w, 200, map[string]any{"Role": functionRole, "Environment": map[string]any{"Variables": map[string]string{
				"IMAGECO_URL": c.ImagecoHost.URL(), "WECHATPAY_URL": c.Primary.URL(), "WECHATPAY_BACKUP_URL": c.Backup.URL()}}})
		case form.Get("Action") == "DescribeStacks":
			fmt.Fprintf(w, `<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>kesu</StackName><Parameters><member><ParameterKey>ImagecoUrl</ParameterKey><ParameterValue>%s</ParameterValue></member></Parameters></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`, c.ImagecoHost.URL())
		case form.Get("Action") == "AssumeRole" && a.assume:
			fmt.Fprintf(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>B</SecretAccessKey><SessionToken>C</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
		case form.Get("Action") == "SimulatePrincipalPolicy" && a.decision != "":
			fmt.Fprintf(w, `<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><EvaluationResults><member><EvalActionName>secretsmanager:GetSecretValue</EvalActionName><EvalDecision>%s</EvalDecision></member></EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>`, a.decision)
		default:
			w.WriteHeader(403)
			fmt.Fprint(w, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>not allowed</Message></Error></ErrorResponse>`)
		}
	}))
	t.Cleanup(server.Close)
	var env []string
	for _, pair := range c.Env() {
		if !strings.HasPrefix(pair, "AWS_ENDPOINT_URL") {
			env = append(env, pair)
		}
	}
	return append(env, "AWS_ENDPOINT_URL="+server.URL)
}

func answerJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}

func TestDoctorTellsWhyAWSGivesNoSecret(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{}, sandbox.MerchantOptions{})
	for refusal, test := range map[string]struct {
		cause, advice string
		code          int
	}{
		"AccessDeniedException:User is not authorized to perform: secretsmanager:GetSecretValue":                        {"aws.denied", "secretsmanager:GetSecretValue", 1},
		"AccessDeniedException:Access to KMS is not allowed":                                                            {"aws.kms", "kms:Decrypt", 1},
		"DecryptionFailure:cannot decrypt":                                                                              {"aws.kms", "kms:Decrypt", 1},
		"ThrottlingException:Rate exceeded":                                                                             {"aws.throttled", "wait a minute", 3},
		"ExpiredTokenException:The security token included in the request is expired":                                   {"aws.expired", "aws sso login", 1},
		"UnrecognizedClientException:The security token included in the request is invalid":                             {"aws.identity", "get-caller-identity", 1},
		"ResourceNotFoundException:Secrets Manager can't find the specified secret.":                                    {"aws.notfound", "--secret-prefix", 1},
		"ResourceNotFoundException:Secrets Manager can't find the specified secret value for staging label: AWSCURRENT": {"aws.novalue", "put-secret-value", 1},
		"InvalidRequestException:You can't perform this operation on the secret because it was marked for deletion.":    {"aws.deleted", "restore-secret", 1},
		"InvalidParameterException:odd":                                                                                 {"aws.other", "GetSecretValue", 1},
	} {
		t.Run(refusal, func(t *testing.T) {
			t.Parallel()
			env := append((&account{refusal: refusal}).serve(t, c), "AWS_MAX_ATTEMPTS=1")
			o := process{args: []string{"doctor", "--json", "--offline", "--merchant", "acme"}, env: env}.run(t)
			var r doctor.Report
			if json.Unmarshal([]byte(o.out), &r) != nil || len(r.Checks) != 1 || r.Checks[0].Cause != test.cause || !strings.Contains(r.Checks[0].Advice, test.advice) || o.code != test.code {
				t.Errorf("exit %d\n%s%s", o.code, o.out, o.errors)
			}
		})
	}
}

func TestDoctorSaysWhoseRightsItTested(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{}, sandbox.MerchantOptions{})
	for name, test := range map[string]struct {
		account
		cause, as string
		code      int
	}{
		"the role may be assumed": {account{assume: true}, "function.assumed", functionRole, 0},
		"IAM allows":              {account{decision: "allowed"}, "function.simulated", "the caller of this command", 0},
		"IAM denies":              {account{decision: "implicitDeny"}, "function.denied", "the caller of this command", 1},
		"nothing may be asked":    {account{}, "function.unknown", "the caller of this command", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := process{args: []string{"doctor", "--json", "--merchant", "acme", "--complaint", "2001", "--as-function", "kesu-reply"}, env: test.serve(t, c)}.run(t)
			var r doctor.Report
			if json.Unmarshal([]byte(o.out), &r) != nil || len(r.Checks) < 10 || r.Checks[0].Cause != test.cause || r.TestedAs != test.as || o.code != test.code {
				t.Errorf("exit %d\n%s%s", o.code, o.out, o.errors)
			}
		})
	}
}

func TestDoctorLooksAtAllMerchants(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{}, sandbox.MerchantOptions{})
	soon := c.copy(t)
	soon.WechatPay.PlatformKeys = append(soon.WechatPay.PlatformKeys, sandbox.PlatformSecret{PEM: mustPEM(sandbox.CertificatePEM(sandbox.GatewayKey{ID: sandbox.NewSerial(), Key: testKeys()[4]}, time.Now().Add(-time.Hour), time.Now().Add(20*24*time.Hour)))})
	c.Secrets.Put(sandbox.SecretPrefix+"soon", soon.Secret())
	c.Secrets.Put(sandbox.SecretPrefix+"broken", "{")
	for _, test := range []struct {
		list   []string
		args   []string
		code   int
		failed int
	}{
		{[]string{"acme", "soon"}, nil, 0, 0},
		{[]string{"acme", "soon"}, []string{"--strict"}, 1, 0},
		{[]string{"acme"}, nil, 0, 0},
		{[]string{"acme", "broken", "not a merchant"}, nil, 1, 1},
	} {
		a := &account{}
		for _, name := range test.list {
			a.list = append(a.list, sandbox.SecretPrefix+name)
		}
		o := process{args: append([]string{"doctor", "--all", "--json", "--complaint", "2001"}, test.args...), env: a.serve(t, c)}.run(t)
		var r struct {
			Merchants []doctor.Report
			Failed    int
		}
		if json.Unmarshal([]byte(o.out), &r) != nil || o.code != test.code || r.Failed != test.failed || len(r.Merchants) != min(len(test.list), 2) {
			t.Errorf("%v %v: exit %d\n%s%s", test.list, test.args, o.code, o.out, o.errors)
		}
	}
	if o := (process{args: []string{"doctor", "--all"}, env: (&account{}).serve(t, c)}).run(t); o.code != 1 || !strings.Contains(o.errors, "no merchant's secret") {
		t.Errorf("exit %d %s", o.code, o.errors)
	}
}

// example is a line or a piece of code that shows kesu sign, doctor, merchant make or merchant put.
var example = regexp.MustCompile("(?m)(?:^\\s*|`)(?:bin/)?kesu ((?:sign|doctor|merchant make|merchant put)(?: [^`\\n|]*)?)(?:`|$)")

// TestEveryExampleOfTheDocumentsRuns finds the examples in the documents and in the commands' own help, and runs each where
// the files and the account that it speaks of are there.
func TestEveryExampleOfTheDocumentsRuns(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{}, sandbox.MerchantOptions{})
	c.Secrets.Put(sandbox.SecretPrefix+"acme-wrong-key", c.merchant.Secret())
	texts := map[string]string{"help sign": signCommand{}.Help(), "help doctor": doctorCommand{}.Help(), "help merchant": merchantMakeHelp, "help put": merchantPutHelp}
	maps.Copy(texts, pages(t))
	env := (&account{assume: true, list: []string{sandbox.SecretPrefix + "acme"}}).serve(t, c)
	ran := 0
	for name, text := range texts {
		for _, match := range example.FindAllStringSubmatch(text, -1) {
			line := strings.TrimSpace(match[1])
			if !strings.Contains(line, " ") || strings.HasSuffix(line, "…") || line == "merchant make" || line == "merchant put" {
				continue // the command's name in a sentence
			}
			ran++
			t.Run(name+": "+line, func(t *testing.T) {
				t.Parallel()
				if strings.HasPrefix(line, "merchant put") { // it changes the secret that the others read
					own := newClinic(t, sandbox.Options{}, sandbox.MerchantOptions{})
					own.runsExample(t, line, (&account{}).serve(t, own))
					return
				}
				c.runsExample(t, line, env)
			})
		}
	}
	if ran < 12 {
		t.Errorf("only %d examples were found", ran)
	}
}

// runsExample runs one line in a directory with the files that the documents speak of.
func (c *clinic) runsExample(t *testing.T, line string, env []string) {
	t.Helper()
	w, dir := c.merchant.WechatPay, t.TempDir()
	key := c.merchant.Imageco.Key
	reply := `{"isspid":"` + c.merchant.Imageco.ISSPID + `","sign":"` + strings.ToUpper(md5Hex(key+"isspid"+c.merchant.Imageco.ISSPID+key)) + `"}`
	request := strings.NewReplacer("1900000001\",nonce", w.Mchid+"\",nonce", "5157F0", w.SerialNo).Replace(request(t, c.merchant.Key, "POST\n"+requestTarget+"\n1554208460\n"+requestNonce+"\n"+requestBody+"\n"))
	for name, text := range map[string]string{"secret.json": c.merchant.Secret(), "acme.json": c.merchant.Secret(), "reply.json": reply, "key.txt": key, "imageco_key.txt": key, "request.http": request, "apiclient_key.pem": w.PrivateKey,
		"apiclient_cert.pem": merchantCertificate(t, c.merchant.Key, w.Mchid, w.SerialNo, time.Now().Add(9999*time.Hour)), "pub_key.pem": w.PlatformKeys[0].PEM,
		"answer.http": "HTTP/1.1 200 OK\nWechatpay-Timestamp: 1554208460\nWechatpay-Nonce: a\nWechatpay-Serial: b\nWechatpay-Signature: c\n\n{}"} {
		if strings.Contains(line, "--out secret.json") && name == "secret.json" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(line, "--p12") {
		makeStore(t, dir, w.Mchid)
		line = strings.Replace(line, "1900000001", w.Mchid, 1)
	}
	out, errors, code := shell(t, dir, "kesu "+line, env)
	if code == 2 || strings.Contains(errors, "cannot be read") || out == "" {
		t.Errorf("exit %d\n%s%s", code, out, errors)
	}
	// An answer of a stranger and a sign over another message are wrong on purpose.
	if wrong := strings.Contains(line, "answer.http") || strings.Contains(line, "2EB4051F"); (code != 0) != wrong {
		t.Errorf("exit %d\n%s%s", code, out, errors)
	}
}
