package sandbox

import (
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"
)

// Secrets is Secrets Manager as far as reading the current version of a secret goes, and writing one: versions with their
// staging labels. It may be used by several goroutines at once, and each call is one step. Its [Host] counts calls and
// takes faults: Code is the exception, AccessDeniedException for instance.
type Secrets struct {
	*Host
	mu     sync.Mutex
	stored map[string]*secret
}

// secret is one secret. A label is on one version at a time.
type secret struct {
	versions map[string]version // by VersionId
	labels   map[string]string  // the VersionId that a label is on
	deleted  bool               // marked for deletion, and still to be restored
}

type version struct {
	text    string
	created time.Time
}

// The labels that Secrets Manager itself knows.
const currentLabel, previousLabel = "AWSCURRENT", "AWSPREVIOUS"

// NewSecrets makes a Secrets Manager without secrets; it listens at once.
func NewSecrets(now func() time.Time) (*Secrets, error) { return newSecretsAt("", now) }

func newSecretsAt(address string, now func() time.Time) (*Secrets, error) {
	s := &Secrets{stored: map[string]*secret{}}
	service := &awsJSON{target: "secretsmanager", operations: map[string]func([]byte, *Fault, *Call) (any, *awsError){
		"GetSecretValue": s.get, "CreateSecret": s.create, "PutSecretValue": s.putValue, "UpdateSecretVersionStage": s.moveLabel,
		"ListSecrets": s.list, "DeleteSecret": s.remove,
	}}
	host, err := newHostAt(address, "secretsmanager", service, now)
	s.Host = host
	return s, err
}

// Put stores a secret's text as a new version and returns the version's id.
func (s *Secrets) Put(name, text string) string {
	return s.change(name, func() string { return text })
}

// change is Put of a text that is made while nobody reads the secret.
func (s *Secrets) change(name string, text func() string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stored[name] == nil || s.stored[name].deleted {
		s.stored[name] = &secret{versions: map[string]version{}, labels: map[string]string{}}
	}
	id := newUUID()
	s.stored[name].add(id, text(), currentLabel)
	return id
}

// Get returns a secret's current text and version.
func (s *Secrets) Get(name string) (text, version string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.stored[name]
	if found == nil || found.deleted {
		return "", "", false
	}
	id := found.labels[currentLabel]
	return found.versions[id].text, id, true
}

// Names returns the names of all secrets that are not marked for deletion, in order.
func (s *Secrets) Names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s.stored)) {
		if !s.stored[name].deleted {
			names = append(names, name)
		}
	}
	return names
}

// Delete removes a secret at once.
func (s *Secrets) Delete(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.stored, name)
}

// add adds a version and puts labels on it.
func (s *secret) add(id, text string, labels ...string) {
	s.versions[id] = version{text, time.Now()}
	for _, label := range labels {
		s.put(label, id)
	}
}

// put puts a label on a version. When AWSCURRENT moves, AWSPREVIOUS goes to the version that had it:
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html.
func (s *secret) put(label, id string) {
	if before := s.labels[label]; label == currentLabel && before != "" && before != id {
		s.labels[previousLabel] = before
	}
	s.labels[label] = id
}

func (s *secret) stages(id string) []string {
	on := []string{}
	for _, label := range slices.Sorted(maps.Keys(s.labels)) {
		if s.labels[label] == id {
			on = append(on, label)
		}
	}
	return on
}

var (
	noSecret      = &awsError{400, "ResourceNotFoundException", "Secrets Manager can't find the specified secret."}
	markedDeleted = &awsError{400, "InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion."}
)

// find finds a secret by its name. The caller holds the lock.
func (s *Secrets) find(name string) (*secret, *awsError) {
	found := s.stored[name]
	switch {
	case found == nil:
		return nil, noSecret
	case found.deleted:
		return nil, markedDeleted
	}
	return found, nil
}

func secretARN(name string) string {
	return "arn:aws:secretsmanager:" + Region + ":" + AccountID + ":secret:" + name + "-aB3dE5"
}

func (s *Secrets) get(body []byte, _ *Fault, _ *Call) (any, *awsError) {
	var in struct{ SecretId, VersionId, VersionStage string }
	if err := json.Unmarshal(body, &in); err != nil || in.SecretId == "" {
		return nil, invalidParameter("the request has no SecretId")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, failed := s.find(in.SecretId)
	if failed != nil {
		return nil, failed
	}
	id := in.VersionId
	if id == "" {
		stage := in.VersionStage
		if stage == "" {
			stage = currentLabel
		}
		id = found.labels[stage]
	}
	v, ok := found.versions[id]
	if !ok {
		return nil, noSecret
	}
	return map[string]any{"ARN": secretARN(in.SecretId), "Name": in.SecretId, "SecretString": v.text, "VersionId": id,
		"VersionStages": found.stages(id), "CreatedDate": float64(v.created.UnixMilli()) / 1000}, nil
}
