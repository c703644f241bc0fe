package smoke

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/kesu-go/kesu/internal/config"
	"github.com/kesu-go/kesu/pkg/redact"
)

const (
	httpLimit   = 35 * time.Second // API Gateway waits 29 s for a function
	answerLimit = 64 << 10
)

// answer is what the API said.
type answer struct {
	status int
	code   string // of the function's problem; "" when the answer is not the function's
}

func (a answer) String() string {
	if a.code != "" {
		return fmt.Sprintf("%d %s", a.status, a.code)
	}
	return fmt.Sprintf("%d without a code of the function's", a.status)
}

// strangers asks without saying who asks. API Gateway must refuse that before the function is asked: with 403, or with 401
// when a user pool's token is wanted
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html).
func (r *run) strangers(ctx context.Context) {
	for _, a := range actions {
		check := "unsigned: " + a.name
		got, err := r.post(ctx, r.name, a.name, a.body, func(*http.Request, []byte) error { return nil })
		switch {
		case err != nil:
			r.fail(check, "see that the stack's ApiUrl can be reached from here", "%v", err)
		case got.code != "":
			r.fail(check, "nobody is asked who they are: see that security stands on each operation of api/openapi.yaml, and deploy", "a request without a signature reached the function, which answered %s", got)
		case got.status != http.StatusForbidden && got.status != http.StatusUnauthorized:
			r.fail(check, "see the API's access log", "a request without a signature is answered %s, and not 403", got)
		default:
			r.ok(check, "refused with %d", got.status)
		}
	}
}

// notifications sends what is no notification of WeChat Pay's, because nobody signed it. functions/watch must refuse it with
// 401 and the body that WeChat Pay would get: so the route leads to the function, without IAM, and the function starts.
func (r *run) notifications(ctx context.Context) {
	if !r.watches() {
		return
	}
	const check = "notifications"
	status, code, err := r.notify(ctx)
	switch {
	case err != nil:
		r.fail(check, "see that the stack's NotificationsUrl is right and can be reached from here", "%v", err)
	case status == http.StatusUnauthorized && code == "FAIL":
		r.ok(check, "one without a signature is refused with 401")
	case status == http.StatusForbidden:
		r.fail(check, "the route must ask for no authorization of AWS's: WeChat Pay has none", "refused with 403 before the function was asked")
	default:
		r.fail(check, "see the log of the third function", "one without a signature is answered %d, and not 401 by the function", status)
	}
}

// notify sends an unsigned notification, and returns the answer's status and the code in its body.
func (r *run) notify(ctx context.Context) (status int, code string, err error) {
	const route = "/merchants/{merchant}/notifications"
	base, ok := strings.CutSuffix(r.outputs["NotificationsUrl"], route)
	if !ok {
		return 0, "", errors.New("the stack's output NotificationsUrl does not end in " + route)
	}
	rules, _ := config.ReadReply(func(string) string { return "" }) // as in post
	if err := rules.CheckGatewayURL(base); err != nil {
		return 0, "", fmt.Errorf("the stack's output NotificationsUrl %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, httpLimit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+strings.Replace(route, "{merchant}", r.name, 1), strings.NewReader("{}"))
	if err != nil {
		return 0, "", errors.New("the stack's output NotificationsUrl is not a URL")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "kesu smoke")
	response, err := r.HTTP.Do(request)
	if err != nil {
		return 0, "", errors.New("the API for notifications cannot be reached, or does not answer")
	}
	defer response.Body.Close()
	var body struct{ Code string }
	_ = json.NewDecoder(io.LimitReader(response.Body, answerLimit)).Decode(&body) // another form has no code
	return response.StatusCode, body.Code, nil
}

// caller asks as who runs this, for a merchant that does not exist.
func (r *run) caller(ctx context.Context) {
	authorize := r.signer(r.AWS.Credentials)
	if r.Token != "" {
		authorize = func(request *http.Request, _ []byte) error {
			request.Header.Set("Authorization", r.Token)
			return nil
		}
	}
	for _, a := range actions {
		got, err := r.post(ctx, r.name, a.name, a.body, authorize)
		r.refused("signed: "+a.name, got, err, http.StatusNotFound, "UNKNOWN_MERCHANT")
	}
}

// refused expects the function's own refusal.
func (r *run) refused(check string, got answer, err error, status int, code string) {
	switch {
	case err != nil:
		r.fail(check, "see that the stack's ApiUrl can be reached from here, and the credentials", "%v", err)
	case got.status == status && (got.code == code || status == http.StatusBadRequest && got.code == ""):
		r.ok(check, "refused with %s, as it must be", got)
	case got.code == "" && (got.status == http.StatusForbidden || got.status == http.StatusUnauthorized):
		r.fail(check, "allow execute-api:Invoke on POST/merchants/"+Prefix+"* to who runs this", "the API does not let these credentials in: %s", got)
	case got.code == "SECRETS_UNAVAILABLE":
		r.fail(check, "see that the functions' role may read the secrets under MerchantSecretPrefix", "the function cannot ask Secrets Manager: %s", got)
	case got.status >= 500:
		r.fail(check, "see the function's log and the API's access log", "answered %s, and not %d %s", got, status, code)
	default:
		r.fail(check, "see that ApiUrl is this stack's API", "answered %s, and not %d %s", got, status, code)
	}
}

// otherMerchant asks with credentials that may call for one merchant only: for that one, and for another one. The first
// shows that it is the merchant that the second is refused for.
func (r *run) otherMerchant(ctx context.Context) {
	const check = "another merchant"
	switch {
	case r.Token != "":
		r.leaveOut(check, "a user pool's token is bound to a merchant by CallerMerchantClaim; ask with such a token for another merchant")
		return
	case r.CallerRole == "":
		r.leaveOut(check, "give --caller-role: a role that may call the API and that you may assume")
		return
	}
	own, body, status, code := r.Merchant, "{", http.StatusBadRequest, "INVALID_REQUEST"
	if own == "" {
		own, body, status, code = r.name, "{}", http.StatusNotFound, "UNKNOWN_MERCHANT"
	}
	limited, err := r.assume(ctx, own)
	if err != nil {
		r.fail(check, "see that you may assume the role, and that it allows execute-api:Invoke", "the role cannot be assumed: %s", problem(err))
		return
	}
	got, err := r.post(ctx, own, "complete", body, r.signer(limited))
	before := len(r.report.Checks)
	r.refused("own merchant", got, err, status, code)
	if r.report.Checks[before].Status != OK {
		return
	}
	got, err = r.post(ctx, Prefix+"other", "complete", "{}", r.signer(limited))
	switch {
	case err != nil:
		r.fail(check, "see that the stack's ApiUrl can be reached from here", "%v", err)
	case got.code != "" || got.status != http.StatusForbidden:
		r.fail(check, "the API does not ask IAM for the path: see that both methods have AWS_IAM authorization and that the resource policy allows no more", "who may call for one merchant called for another one, and got %s", got)
	default:
		r.ok(check, "refused with 403 to who may call for one merchant")
	}
}

func (r *run) leaveOut(check, advice string) {
	r.report.Checks = append(r.report.Checks, Check{check, LeftOut, "not asked", advice})
}

// assume returns the caller's role, cut down to one merchant by a session policy: what a session may do is what both the
// role's policies and this one allow (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html).
func (r *run) assume(ctx context.Context, merchant string) (aws.CredentialsProvider, error) {
	ctx, cancel := context.WithTimeout(ctx, r.callLimit())
	defer cancel()
	arn := r.outputs["ApiArn"]
	if arn == "" {
		return nil, errors.New("the stack has no output ApiArn")
	}
	policy, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": arn + "/POST/merchants/" + merchant + "/*"}}})
	if err != nil {
		return nil, err
	}
	out, err := sts.NewFromConfig(r.AWS).AssumeRole(ctx, &sts.AssumeRoleInput{
		RoleArn: aws.String(r.CallerRole), RoleSessionName: aws.String("kesu-smoke"), Policy: aws.String(string(policy)), DurationSeconds: aws.Int32(900),
	})
	if err != nil {
		return nil, err
	}
	c := out.Credentials
	return credentials.NewStaticCredentialsProvider(aws.ToString(c.AccessKeyId), aws.ToString(c.SecretAccessKey), aws.ToString(c.SessionToken)), nil
}

// signer signs requests by SigV4.
func (r *run) signer(who aws.CredentialsProvider) func(*http.Request, []byte) error {
	return func(request *http.Request, body []byte) error {
		if who == nil {
			return errors.New("there are no AWS credentials")
		}
		held, err := who.Retrieve(request.Context())
		if err != nil {
			return errors.New("there are no AWS credentials to sign with")
		}
		sum := sha256.Sum256(body)
		if err := v4.NewSigner().SignHTTP(request.Context(), held, request, hex.EncodeToString(sum[:]), "execute-api", r.AWS.Region, r.Now()); err != nil {
			return errors.New("the request cannot be signed with these AWS credentials")
		}
		return nil
	}
}

// post asks the API once. Its errors do not quote the address.
func (r *run) post(ctx context.Context, merchant, action, body string, authorize func(*http.Request, []byte) error) (answer, error) {
	base := strings.TrimRight(r.outputs["ApiUrl"], "/")
	rules, _ := config.ReadReply(func(string) string { return "" }) // for its rule about URLs alone
	if err := rules.CheckGatewayURL(base); err != nil {
		return answer{}, fmt.Errorf("the stack's output ApiUrl %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, httpLimit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/merchants/"+merchant+"/complaints/smoke/"+action, strings.NewReader(body))
	if err != nil {
		return answer{}, errors.New("the stack's output ApiUrl is not a URL")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "kesu smoke")
	if err := authorize(request, []byte(body)); err != nil {
		return answer{}, err
	}
	response, err := r.HTTP.Do(request)
	if err != nil {
		return answer{}, errors.New("the API cannot be reached, or does not answer")
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, answerLimit))
	if err != nil {
		return answer{}, errors.New("the API's answer broke off")
	}
	return answer{response.StatusCode, codeOf(text)}, nil
}

// codeOf is the code of the function's own problem. API Gateway's refusals have another shape: a problem with a code has
// the members of a result too.
func codeOf(body []byte) string {
	var p struct{ Action, Code, Outcome string }
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&p); err != nil || p.Action == "" || p.Outcome == "" {
		return ""
	}
	return redact.Secrets{}.Text(p.Code)
}
