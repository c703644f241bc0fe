package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/go-pay/gopay"
	"github.com/go-pay/gopay/wechat/v3"
)

// runGopay uses gopay's own methods for complaints.
func runGopay(ctx context.Context, e *env) ([]done, error) {
	key, err := os.ReadFile(e.path("apiclient_key.pem"))
	if err != nil {
		return nil, err
	}
	client, err := wechat.NewClientV3(e.Mchid, e.SerialNo, e.APIv3Key, string(key))
	if err != nil {
		return nil, err
	}
	client.SetProxyHost(e.URL)
	loaded, err := openGopay(client, e)
	if err != nil {
		return nil, err
	}
	var s script
	s.do("read", func() (string, error) {
		a, err := client.V3ComplaintDetail(ctx, e.Complaint)
		if err != nil || a.Code != 0 {
			return "", gopayError(err, a.Error)
		}
		return client.V3DecryptText(a.Response.PayerPhone)
	})
	s.do("list", func() (string, error) {
		day := time.Now().In(time.FixedZone("", 8*3600)).Format(time.DateOnly)
		a, err := client.V3ComplaintList(ctx, gopay.BodyMap{"limit": 50, "begin_date": day, "end_date": day})
		if err != nil || a.Code != 0 {
			return "", gopayError(err, a.Error)
		}
		for _, c := range a.Response.Data {
			if c.ComplaintId == e.Complaint {
				return c.ComplaintId, nil
			}
		}
		return "", nil
	})
	media := s.do("upload", func() (string, error) {
		sum := sha256.Sum256(picture)
		a, err := client.V3ComplaintUploadImage(ctx, "picture.png", hex.EncodeToString(sum[:]),
			&gopay.File{Name: "picture.png", Content: picture})
		if err != nil || a.Code != 0 {
			return "", gopayError(err, a.Error)
		}
		return a.Response.MediaId, nil
	})
	s.do("reply", func() (string, error) {
		a, err := client.V3ComplaintResponse(ctx, e.Complaint, gopay.BodyMap{"complainted_mchid": e.Mchid, "response_content": replyText,
			"response_images": []string{media}})
		if err != nil || a.Code != 0 {
			return "", gopayError(err, a.Error)
		}
		return "", nil
	})
	s.do("history", func() (string, error) {
		a, err := client.V3ComplaintNegotiationHistory(ctx, e.Complaint, gopay.BodyMap{"limit": 300, "offset": 0})
		if err != nil || a.Code != 0 {
			return "", gopayError(err, a.Error)
		}
		return a.Response.Data[len(a.Response.Data)-1].OperateDetails, nil
	})
	s.do("complete", func() (string, error) {
		a, err := client.V3ComplaintComplete(ctx, e.Complaint+"-done", gopay.BodyMap{"complainted_mchid": e.Mchid})
		if err != nil || a.Code != 0 {
			return "", gopayError(err, a.Error)
		}
		return "", nil
	})
	s.all = append(s.all, done{Operation: "echo", Cannot: "has no method for it, nor one that calls any path"})
	s.do("notification", func() (string, error) {
		r, err := e.notification(ctx)
		if err != nil {
			return "", err
		}
		n, err := wechat.V3ParseNotify(r)
		if err != nil {
			return "", err
		}
		if err := n.VerifySignByPKMap(client.WxPublicKeyMap()); err != nil {
			return "", err
		}
		var c struct {
			ID string `json:"complaint_id"`
		}
		err = n.DecryptCipherTextToStruct(e.APIv3Key, &c)
		return c.ID, err
	})
	s.do("certificates", func() (string, error) { return loaded, nil })
	return s.all, nil
}

func openGopay(client *wechat.ClientV3, e *env) (loaded string, err error) {
	if loaded, _, err = client.GetAndSelectNewestCert(); err != nil {
		return "", err
	}
	if !e.Public {
		return loaded, client.AutoVerifySign(false)
	}
	theirs, err := os.ReadFile(e.path("pub_key.pem"))
	if err != nil {
		return "", err
	}
	return loaded, client.AutoVerifySignByPublicKey(theirs, e.PublicKeyID)
}

func gopayError(err error, said string) error {
	if err != nil {
		return err
	}
	return errors.New(fmt.Sprint("refused: ", said))
}
