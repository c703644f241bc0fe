package sandbox

import (
	"encoding/json"
	"sync"
	"time"
)

// Secrets is Secrets Manager as far as reading the current version of a secret goes. It may be used by several goroutines
// at once. Its [Host] counts calls and takes faults: Code is the exception, AccessDeniedException for instance.
type Secrets struct {
	*Host
	mu     sync.Mutex
	stored map[string]secret
}

type secret struct {
	text, version string
	created       time.Time
}

// NewSecrets makes a Secrets Manager without secrets; it listens at once.
func NewSecrets(now func() time.Time) (*Secrets, error) {
	s := &Secrets{stored: map[string]secret{}}
	service := &awsJSON{target: "secretsmanager", operations: map[string]func([]byte, *Fault, *Call) (any, *awsError){"GetSecretValue": s.get}}
	host, err := newHost("secretsmanager", service, now)
	s.Host = host
	return s, err
}

// Put stores a secret's text as a new version and returns the version's id.
func (s *Secrets) Put(name, text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	version := newUUID()
	s.stored[name] = secret{text, version, time.Now()}
	return version
}

// Get returns a secret's current text and version.
func (s *Secrets) Get(name string) (text, version string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.stored[name]
	return found.text, found.version, ok
}

// Delete removes a secret.
func (s *Secrets) Delete(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.stored, name)
}

func (s *Secrets) get(body []byte, _ *Fault, _ *Call) (any, *awsError) {
	var in struct{ SecretId, VersionId, VersionStage string }
	if err := json.Unmarshal(body, &in); err != nil || in.SecretId == "" {
		return nil, &awsError{400, "InvalidParameterException", "the request has no SecretId"}
	}
	s.mu.Lock()
	found, ok := s.stored[in.SecretId]
	s.mu.Unlock()
	if !ok || (in.VersionId != "" && in.VersionId != found.version) {
		return nil, &awsError{400, "ResourceNotFoundException", "Secrets Manager can't find the specified secret."}
	}
	return map[string]any{
		"ARN":  "arn:aws:secretsmanager:" + Region + ":" + AccountID + ":secret:" + in.SecretId + "-aB3dE5",
		"Name": in.SecretId, "SecretString": found.text, "VersionId": found.version,
		"VersionStages": []string{"AWSCURRENT"}, "CreatedDate": float64(found.created.UnixMilli()) / 1000,
	}, nil
}
