package sandbox

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestHostGoesDownAndComesBackAtTheSameAddress(t *testing.T) {
	d := world(t)
	url := d.Primary.URL()
	d.Primary.Down()
	d.Primary.Down()
	if resp, _, err := newCompletion(d, d.Acme, "c1").send(t, d.Primary); err == nil {
		t.Errorf("a host that is down answered %v", resp)
	}
	if resp, _, err := newCompletion(d, d.Acme, "c1").send(t, d.Backup); err != nil || resp.StatusCode != 204 {
		t.Errorf("the other host: %v, %v", resp, err)
	}
	for range 2 {
		if err := d.Primary.Up(); err != nil {
			t.Fatal(err)
		}
	}
	if resp, _, err := newCompletion(d, d.Acme, "c1").send(t, d.Primary); err != nil || resp.StatusCode != 400 || d.Primary.URL() != url {
		t.Errorf("after it came back: %v, %v", resp, err)
	}
}

// TestHostWaits shows who wins when the caller hangs up: a delay before the work prevents it, one after it does not.
func TestHostWaits(t *testing.T) {
	d := world(t)
	hold := make(chan struct{})
	defer close(hold)
	for _, test := range []struct {
		name  string
		fault Fault
		acted bool
	}{
		{"before it acts", Fault{Delay: time.Hour}, false},
		{"with the answer", Fault{DelayAnswer: time.Hour}, true},
		{"with the answer until it is let go", Fault{Hold: hold}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			id := strings.ReplaceAll(test.name, " ", "_")
			d.State.Add("acme", id)
			d.Primary.Calls.Reset()
			d.Primary.Faults.Next(test.fault)
			c := newCompletion(d, d.Acme, id)
			authorization, err := c.requester.Authorization(c.method, c.target, []byte(c.body), c.at, c.nonce)
			if err != nil {
				t.Fatal(err)
			}
			ctx, hangUp := context.WithCancel(t.Context())
			over := make(chan error, 1)
			go func() {
				req, err := http.NewRequestWithContext(ctx, c.method, d.Primary.URL()+c.target, strings.NewReader(c.body))
				if err == nil {
					req.Header = c.header
					req.Header.Set("Authorization", authorization)
					_, err = http.DefaultTransport.RoundTrip(req)
				}
				over <- err
			}()
			_, err = d.Primary.Calls.Wait(t.Context(), func(calls []Call) bool { return len(calls) == 1 && calls[0].Acted == test.acted })
			if err != nil {
				t.Fatal(err)
			}
			hangUp()
			if err := <-over; err == nil {
				t.Error("there was an answer")
			}
			d.Primary.Down() // waits for nothing that hangs
			if err := d.Primary.Up(); err != nil {
				t.Fatal(err)
			}
			if c, _ := d.State.Complaint("acme", id); (c.State == Processed) != test.acted {
				t.Errorf("the complaint is %s", c.State)
			}
		})
	}
}

func TestHostLetsGoOfAHeldAnswer(t *testing.T) {
	d := world(t)
	hold := make(chan struct{})
	d.Primary.Faults.Next(Fault{Hold: hold})
	status := make(chan int, 1)
	c := newCompletion(d, d.Acme, "c1")
	go func() {
		resp, _, err := c.send(t, d.Primary)
		if err != nil {
			status <- 0
			return
		}
		status <- resp.StatusCode
	}()
	if _, err := d.Primary.Calls.Wait(t.Context(), func(calls []Call) bool { return len(calls) == 1 && calls[0].Acted }); err != nil {
		t.Fatal(err)
	}
	close(hold)
	if got := <-status; got != 204 {
		t.Errorf("got %d", got)
	}
}

func TestHostRefusesALargeRequest(t *testing.T) {
	d := world(t)
	resp, _, err := reach(t, "POST", d.ImagecoHost.URL(), jsonHeader, make([]byte, bodyLimit+1))
	if err == nil && resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("got %v", resp)
	}
	if d.ImagecoHost.Calls.Len() != 0 {
		t.Error("it was looked at")
	}
}

func TestStandingFaultsApplyUntilTheyEnd(t *testing.T) {
	var f Faults
	f.Stand(Fault{Method: "GET", Status: 1}, Fault{Status: 2})
	f.Next(Fault{Method: "GET", Status: 3}, Fault{Status: 4})
	for i, want := range []struct {
		method string
		status int
	}{{"POST", 4}, {"GET", 3}, {"GET", 1}, {"POST", 2}, {"POST", 2}} {
		if got := f.take(want.method).Status; got != want.status {
			t.Errorf("call %d: %d", i, got)
		}
	}
	f.Clear()
	if got := f.take("GET").Status; got != 0 {
		t.Errorf("after Clear: %d", got)
	}
}

func TestListenTakesOnlyLoopback(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "[::]:0", "example.com:0", "localhost:0", "nonsense"} {
		if l, err := Listen(address); err == nil {
			l.Close()
			t.Errorf("it listens on %s", address)
		}
	}
}

func TestComplaintsAppearOnSightOnlyWhenAskedTo(t *testing.T) {
	for _, onSight := range []bool{false, true} {
		s := NewState(time.Now, onSight)
		if _, existed := s.reply("acme", "1", ReplyEffect{}); existed != onSight {
			t.Errorf("on sight %t: existed %t", onSight, existed)
		}
		if existed, _ := s.complete("acme", "1404"); existed {
			t.Error("an id that ends in 404 exists")
		}
		if all := s.Complaints(); (len(all) == 1) != onSight {
			t.Errorf("on sight %t: %+v", onSight, all)
		}
	}
}
