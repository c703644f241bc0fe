package sandbox

import (
	"errors"
	"sync"
)

// Demo is a world with merchants to try things with.
type Demo struct {
	*World
	Acme *Merchant // acme: JSON, WeChat Pay's public key
	XML  *Merchant // acme-xml: GBK XML, WeChat Pay's certificate
	// WrongKey is acme-wrong-key: the keys in its secret are not the ones that the gateways know.
	WrongKey *Merchant
}

// NewDemo makes a world with demo merchants.
func NewDemo(o Options) (*Demo, error) {
	w, err := NewWorld(o)
	if err != nil {
		return nil, err
	}
	d := &Demo{World: w}
	if err := d.addMerchants(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return d, nil
}

func (d *Demo) addMerchants() error {
	var making sync.WaitGroup
	var failed [3]error
	making.Go(func() { d.Acme, failed[0] = d.AddMerchant("acme", MerchantOptions{}) })
	making.Go(func() { d.XML, failed[1] = d.AddMerchant("acme-xml", MerchantOptions{XML: true, Certificate: true}) })
	making.Go(func() { d.WrongKey, failed[2] = d.AddMerchant("acme-wrong-key", MerchantOptions{}) })
	making.Wait()
	if err := errors.Join(failed[:]...); err != nil {
		return err
	}
	known := *d.WrongKey
	imageco := *d.WrongKey.Imageco
	imageco.Key, known.Imageco, known.Key = randomHex(16), &imageco, d.XML.Key
	d.Register(&known)
	return nil
}
