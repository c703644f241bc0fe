package sandbox

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// secretLimit is the most that Secrets Manager keeps in a version, in bytes:
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html.
const secretLimit = 65536

func invalidParameter(message string) *awsError {
	return &awsError{400, "InvalidParameterException", message}
}

// checkValue refuses what no version can hold, and a token that is none.
func checkValue(text, token string) *awsError {
	switch {
	case text == "" || len(text) > secretLimit:
		return &awsError{400, "ValidationException", "SecretString must be 1 to 65536 long"}
	case len(token) < 32 || len(token) > 64:
		return &awsError{400, "ValidationException", "ClientRequestToken must be 32 to 64 long"}
	}
	return nil
}

func (s *Secrets) create(body []byte, _ *Fault, _ *Call) (any, *awsError) {
	var in struct{ Name, SecretString, ClientRequestToken string }
	if err := json.Unmarshal(body, &in); err != nil || in.Name == "" {
		return nil, invalidParameter("the request has no Name")
	}
	if failed := checkValue(in.SecretString, in.ClientRequestToken); failed != nil {
		return nil, failed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.stored[in.Name]; found != nil {
		switch v, there := found.versions[in.ClientRequestToken]; {
		case found.deleted:
			return nil, &awsError{400, "InvalidRequestException", "You can't create this secret because a secret with this name is already scheduled for deletion."}
		case !there || v.text != in.SecretString: // else it is the same call once more
			return nil, &awsError{400, "ResourceExistsException", "The operation failed because the secret " + in.Name + " already exists."}
		}
	} else {
		s.stored[in.Name] = &secret{versions: map[string]version{}, labels: map[string]string{}}
		s.stored[in.Name].add(in.ClientRequestToken, in.SecretString, currentLabel)
	}
	return map[string]any{"ARN": secretARN(in.Name), "Name": in.Name, "VersionId": in.ClientRequestToken}, nil
}

func (s *Secrets) putValue(body []byte, _ *Fault, _ *Call) (any, *awsError) {
	var in struct {
		SecretId, SecretString, ClientRequestToken string
		VersionStages                              []string
	}
	if err := json.Unmarshal(body, &in); err != nil || in.SecretId == "" {
		return nil, invalidParameter("the request has no SecretId")
	}
	if failed := checkValue(in.SecretString, in.ClientRequestToken); failed != nil {
		return nil, failed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, failed := s.find(in.SecretId)
	if failed != nil {
		return nil, failed
	}
	if v, there := found.versions[in.ClientRequestToken]; there && v.text != in.SecretString {
		return nil, &awsError{400, "ResourceExistsException", "a version of this id holds another value"}
	} else if !there {
		if in.VersionStages == nil {
			in.VersionStages = []string{currentLabel}
		}
		found.add(in.ClientRequestToken, in.SecretString, in.VersionStages...)
	}
	return map[string]any{"ARN": secretARN(in.SecretId), "Name": in.SecretId, "VersionId": in.ClientRequestToken, "VersionStages": found.stages(in.ClientRequestToken)}, nil
}

// moveLabel moves a label. One that is on another version moves only when the request names that version.
func (s *Secrets) moveLabel(body []byte, _ *Fault, _ *Call) (any, *awsError) {
	var in struct{ SecretId, VersionStage, MoveToVersionId, RemoveFromVersionId string }
	if err := json.Unmarshal(body, &in); err != nil || in.SecretId == "" || in.VersionStage == "" {
		return nil, invalidParameter("the request has no SecretId or no VersionStage")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, failed := s.find(in.SecretId)
	if failed != nil {
		return nil, failed
	}
	on := found.labels[in.VersionStage]
	_, there := found.versions[in.MoveToVersionId]
	switch {
	case in.MoveToVersionId != "" && !there:
		return nil, invalidParameter("there is no version " + in.MoveToVersionId)
	case in.RemoveFromVersionId != on:
		return nil, invalidParameter(fmt.Sprintf("the label %s is on the version %q", in.VersionStage, on))
	case in.MoveToVersionId == "" && in.VersionStage == currentLabel:
		return nil, invalidParameter("AWSCURRENT can be moved, not removed")
	case in.MoveToVersionId == "":
		delete(found.labels, in.VersionStage)
	default:
		found.put(in.VersionStage, in.MoveToVersionId)
	}
	return map[string]any{"ARN": secretARN(in.SecretId), "Name": in.SecretId}, nil
}

// list lists secrets, with a filter by the name's beginning, ten a page.
func (s *Secrets) list(body []byte, _ *Fault, _ *Call) (any, *awsError) {
	var in struct {
		NextToken string
		Filters   []struct {
			Key    string
			Values []string
		}
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, invalidParameter("the request is not JSON")
	}
	prefix := ""
	for _, f := range in.Filters {
		if f.Key != "name" || len(f.Values) != 1 {
			return nil, invalidParameter("the sandbox knows no filter but one by one name")
		}
		prefix = f.Values[0]
	}
	const page = 10
	names := slices.DeleteFunc(s.Names(), func(name string) bool { return !strings.HasPrefix(name, prefix) || name <= in.NextToken })
	out := map[string]any{}
	if len(names) > page {
		names = names[:page]
		out["NextToken"] = names[page-1]
	}
	found := []map[string]any{}
	for _, name := range names {
		found = append(found, map[string]any{"Name": name, "ARN": secretARN(name)})
	}
	out["SecretList"] = found
	return out, nil
}

// remove marks a secret for deletion.
func (s *Secrets) remove(body []byte, _ *Fault, _ *Call) (any, *awsError) {
	var in struct {
		SecretId             string
		RecoveryWindowInDays int
	}
	if err := json.Unmarshal(body, &in); err != nil || in.SecretId == "" {
		return nil, invalidParameter("the request has no SecretId")
	}
	if in.RecoveryWindowInDays < 7 || in.RecoveryWindowInDays > 30 {
		return nil, invalidParameter("RecoveryWindowInDays must be 7 to 30")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, failed := s.find(in.SecretId)
	if failed != nil {
		return nil, failed
	}
	found.deleted = true
	return map[string]any{"ARN": secretARN(in.SecretId), "Name": in.SecretId}, nil
}
