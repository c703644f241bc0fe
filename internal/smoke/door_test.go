package smoke_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"crypto/sha256"
	"encoding/hex"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// door stands before the local gateway and does what API Gateway and IAM do: it asks for a signature, checks it, and asks
// what the signer may do. That AWS's own door takes the same signatures is not proved here.
type door struct {
	next http.Handler
	plan *plan
	sts  *sts
}

var authorization = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([A-Z0-9]+)/\d{8}/us-east-1/execute-api/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$`)

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := r.Header.Get("Authorization")
	found := authorization.FindStringSubmatch(header)
	switch {
	case d.plan.open:
	case header == "":
		refuse(w, "MissingAuthenticationTokenException")
		return
	case found == nil || !d.signed(r, found[1], strings.Split(found[2], ";"), found[3]):
		refuse(w, "InvalidSignatureException")
		return
	case !d.plan.anyPath && !d.allowed(found[1], strings.TrimPrefix(r.URL.Path, "/")):
		refuse(w, "AccessDeniedException")
		return
	}
	d.next.ServeHTTP(w, r)
}

func refuse(w http.ResponseWriter, kind string) {
	w.Header().Set("X-Amzn-Errortype", kind)
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(http.StatusForbidden)
	fmt.Fprint(w, `{"status": 403, "outcome": "rejected", "code": "MISSING_AUTHENTICATION_TOKEN"}`) // as api/openapi.yaml has it
}

// signed signs the request anew and compares.
func (d *door) signed(r *http.Request, key string, headers []string, signature string) bool {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return false
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	again, err := http.NewRequest(r.Method, "http://"+r.Host+r.URL.RequestURI(), strings.NewReader(string(body)))
	if err != nil {
		return false
	}
	for _, name := range headers {
		if name != "host" && name != "content-length" && name != "x-amz-date" && name != "x-amz-security-token" {
			again.Header.Set(name, r.Header.Get(name))
		}
	}
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || time.Since(at).Abs() > 5*time.Minute {
		return false
	}
	held := aws.Credentials{AccessKeyID: key, SecretAccessKey: "secret of " + key, SessionToken: r.Header.Get("X-Amz-Security-Token")}
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(r.Context(), held, again, hex.EncodeToString(sum[:]), "execute-api", region, at); err != nil {
		return false
	}
	return strings.HasSuffix(again.Header.Get("Authorization"), "Signature="+signature)
}

// allowed asks the signer's policy.
func (d *door) allowed(key, target string) bool {
	pattern := d.plan.merchantsOfCaller
	if key == sessionKey {
		pattern = d.sts.allows()
	}
	if before, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(target, before)
	}
	matched, _ := path.Match(pattern, target)
	return matched
}

// sts answers AssumeRole, and keeps the session policy that came with it.
type sts struct {
	url     string
	mu      sync.Mutex
	policy  string
	refuses bool
}

const sessionKey = "ASIASESSION"

func newSTS(t *testing.T) *sts {
	s := &sts{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ParseForm() != nil || r.Form.Get("Action") != "AssumeRole" || r.Form.Get("RoleArn") == "" || s.refuses {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>role/s3cr3t</Message></Error></ErrorResponse>`)
			return
		}
		s.mu.Lock()
		s.policy = r.Form.Get("Policy")
		s.mu.Unlock()
		type held struct {
			AccessKeyId, SecretAccessKey, SessionToken string
			Expiration                                 string
		}
		_ = xml.NewEncoder(w).Encode(struct {
			XMLName xml.Name                   `xml:"AssumeRoleResponse"`
			Result  struct{ Credentials held } `xml:"AssumeRoleResult"`
		}{Result: struct{ Credentials held }{held{sessionKey, "secret of " + sessionKey, "token", time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}}})
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// allows is the path that the session policy allows.
func (s *sts) allows() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var policy struct {
		Statement []struct{ Effect, Action, Resource string }
	}
	if json.Unmarshal([]byte(s.policy), &policy) != nil || len(policy.Statement) != 1 || policy.Statement[0].Effect != "Allow" || policy.Statement[0].Action != "execute-api:Invoke" {
		return "nothing"
	}
	_, target, _ := strings.Cut(policy.Statement[0].Resource, "/v1/POST/")
	return target
}

// detour sends calls of STS to the tests' own, and gives the stack the status of the plan.
type detour struct{ status, sts string }

func (d detour) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.Header.Get("Authorization"), "/sts/aws4_request") {
		r = r.Clone(r.Context())
		r.URL.Host = strings.TrimPrefix(d.sts, "http://")
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || d.status == "" || !strings.Contains(r.Header.Get("Authorization"), "/cloudformation/aws4_request") {
		return resp, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	changed := strings.Replace(string(text), "CREATE_COMPLETE", d.status, 1)
	resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(changed)), int64(len(changed))
	resp.Header.Del("Content-Length")
	return resp, nil
}
