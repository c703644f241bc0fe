package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"
)

// awsJSON is a service that speaks AWS JSON 1.1, with the operations by their name in X-Amz-Target.
type awsJSON struct {
	target     string // "secretsmanager"
	operations map[string]func(body []byte, f *Fault, c *Call) (any, *awsError)
	// refuseInside lets the operation itself give a fault that has a Code and no Status.
	refuseInside bool
}

// awsError is an error as AWS JSON services give it.
type awsError struct {
	status  int
	Type    string `json:"__type"`
	Message string `json:"message"`
}

var _ gateway = (*awsJSON)(nil)

func (s *awsJSON) act(r *http.Request, body []byte, f *Fault, c *Call) answer {
	target, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	act := s.operations[operation]
	switch {
	case r.Method != http.MethodPost || target != s.target || act == nil:
		return awsAnswer(c, nil, &awsError{400, "UnknownOperationException", "no such operation"})
	case r.Header.Get("Content-Type") != "application/x-amz-json-1.1":
		return awsAnswer(c, nil, &awsError{400, "SerializationException", "the Content-Type is not application/x-amz-json-1.1"})
	case !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential="):
		return awsAnswer(c, nil, &awsError{400, "MissingAuthenticationTokenException", "the request is not signed"})
	}
	out, failed := act(body, f, c)
	return awsAnswer(c, out, failed)
}

func (s *awsJSON) refuse(r *http.Request, body []byte, f *Fault, c *Call) answer {
	if s.refuseInside && f.Status == 0 && f.Code != "" {
		return s.act(r, body, f, c)
	}
	c.Code = f.Code
	if f.Body != nil {
		return answer{status: max(f.Status, 200), header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}}, body: f.Body}
	}
	status := f.Status
	if status == 0 {
		status = http.StatusBadRequest
	}
	return awsAnswer(c, nil, &awsError{status, f.Code, f.Message})
}

func awsAnswer(c *Call, out any, failed *awsError) answer {
	status := http.StatusOK
	c.Code = "OK"
	if failed != nil {
		out, status, c.Code = failed, failed.status, failed.Type
	}
	text, err := json.Marshal(out)
	if err != nil {
		return plainAnswer(http.StatusInternalServerError, "the answer cannot be encoded")
	}
	h := http.Header{"Content-Type": {"application/x-amz-json-1.1"}}
	h.Set("X-Amzn-Requestid", newUUID())
	return answer{status: status, header: h, body: text}
}
