package template

import (
	"slices"
	"strings"
	"time"
)

// thrownAway are queues whose messages nobody misses: what kesu smoke did not read. Nobody is to hear of them.
var thrownAway = []string{"SmokeQueue"}

// queues wants every queue to be worked by a function and give up to a dead-letter queue, or to be an end that an alarm
// watches; and a worked queue to ring when its oldest message is too old.
func queues(d *deployment) []string {
	var f faults
	ids, properties := ofType(d.template, "AWS::SQS::Queue")
	watched := map[string][]string{} // metric names by queue
	_, all := ofType(d.template, "AWS::CloudWatch::Alarm")
	for _, a := range all {
		for _, dimension := range list(at(a, "Dimensions")) {
			if text(dimension, "Name") == "QueueName" && text(a, "Namespace") == "AWS/SQS" {
				queue := target(at(dimension, "Value"))
				watched[queue] = append(watched[queue], text(a, "MetricName"))
			}
		}
	}
	worked := map[string]bool{}
	for _, id := range functionIDs {
		events, _ := at(d.template, "Resources", id, "Properties", "Events").(node)
		for name, event := range events {
			if text(event, "Type") != "SQS" {
				continue
			}
			worked[target(at(event, "Properties", "Queue"))] = true
			if !slices.Contains(list(at(event, "Properties", "FunctionResponseTypes")), any("ReportBatchItemFailures")) {
				f.add("%s%s: without ReportBatchItemFailures one record's fate is the whole batch's", id, name)
			}
			if at(event, "Properties", "ScalingConfig", "MaximumConcurrency") == nil {
				f.add("%s%s: nothing limits how many processes work the queue", id, name)
			}
		}
	}
	for _, id := range ids {
		end := target(at(properties[id], "RedrivePolicy", "deadLetterTargetArn"))
		metric := "ApproximateNumberOfMessagesVisible"
		if worked[id] {
			metric = "ApproximateAgeOfOldestMessage"
			if text(d.template, "Resources", end, "Type") != "AWS::SQS::Queue" {
				f.add("%s has no end: a message that always fails stays in it until it is lost", id)
			}
		}
		if slices.Contains(thrownAway, id) {
			if len(watched[id]) > 0 || number(properties[id], "MessageRetentionPeriod") > 300 {
				f.add("%s is for what nobody misses, and rings or keeps it", id)
			}
		} else if !slices.Contains(watched[id], metric) {
			f.add("%s: no alarm watches its %s", id, metric)
		}
		for key, managed := range map[string]any{"": true, "arn:aws:kms:ap-southeast-1:123456789012:key/x": nil} {
			p := resolve(d.template, properties[id], map[string]string{"AtRestKmsKeyArn": key})
			if at(p, "SqsManagedSseEnabled") != managed || text(p, "KmsMasterKeyId") != key {
				f.add("%s is not encrypted", id)
			}
		}
		if !worked[id] && !slices.Contains(thrownAway, id) && number(properties[id], "MessageRetentionPeriod") != 1209600 {
			f.add("%s is an end and does not keep its messages for SQS's longest time, 14 days", id)
		}
	}
	for _, id := range []string{"ReplyQueue", "CompleteQueue"} {
		if !worked[id] {
			f.add("%s is worked by no function", id)
		}
	}
	return f
}

func visibility(d *deployment) []string {
	var f faults
	for _, id := range functionIDs {
		queue := strings.TrimSuffix(id, "Function") + "Queue"
		timeout := number(functionProperties(d, id), "Timeout")
		if hidden := number(d.template, "Resources", queue, "Properties", "VisibilityTimeout"); timeout == 0 || hidden != 6*timeout {
			f.add("%s: hidden for %v s, and six times %s's timeout are %v s", queue, hidden, id, 6*timeout)
		}
	}
	return f
}

// memory wants a message that comes again, from a queue, a dead-letter queue or the archive, to find its command in the
// ledger: else a reply whose settled event could not be published would be sent twice.
func memory(d *deployment) []string {
	var f faults
	ttl, err := time.ParseDuration(text(d.template, "Parameters", "LedgerTtl", "Default"))
	if err != nil {
		f.add("LedgerTtl's default is no duration")
	}
	ids, properties := ofType(d.template, "AWS::SQS::Queue")
	for _, id := range ids {
		if kept := time.Duration(number(properties[id], "MessageRetentionPeriod")) * time.Second; kept == 0 || kept >= ttl {
			f.add("%s keeps a message for %s and the ledger remembers for %s", id, kept, ttl)
		}
	}
	if kept := time.Duration(number(d.template, "Parameters", "ArchiveDays", "MaxValue")) * 24 * time.Hour; kept == 0 || kept >= ttl {
		f.add("the archive keeps events for %s and the ledger remembers for %s", kept, ttl)
	}
	if text(d.template, "Resources", "Archive", "Properties", "RetentionDays", "Ref") != "ArchiveDays" {
		f.add("the archive does not keep events for ArchiveDays")
	}
	return f
}

func table(d *deployment) []string {
	var f faults
	resource := at(d.template, "Resources", "LedgerTable")
	p := at(resource, "Properties")
	for _, want := range []struct {
		what string
		got  any
		want any
	}{
		{"the partition key", text(p, "KeySchema", 0, "AttributeName"), "id"},
		{"the partition key's type", text(p, "AttributeDefinitions", 0, "AttributeType"), "S"},
		{"the TTL attribute", text(p, "TimeToLiveSpecification", "AttributeName"), "expires_at"},
		{"TTL", at(p, "TimeToLiveSpecification", "Enabled"), true},
		{"encryption", at(resolve(d.template, p, nil), "SSESpecification", "SSEEnabled"), true},
		{"point-in-time recovery", at(p, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"), true},
		{"the billing mode", text(p, "BillingMode"), "PAY_PER_REQUEST"},
		{"the deletion policy", text(resource, "DeletionPolicy"), "Retain"},
		{"the replacement policy", text(resource, "UpdateReplacePolicy"), "Retain"},
	} {
		if want.got != want.want {
			f.add("LedgerTable: %s is %v, should be %v", want.what, want.got, want.want)
		}
	}
	if keys := list(at(p, "KeySchema")); len(keys) != 1 {
		f.add("LedgerTable: the key has %d parts", len(keys))
	}
	return f
}
