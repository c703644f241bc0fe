// Package wechatpay holds WeChat Pay's complaint messages: the bodies that a merchant sends and the answers that it
// reads. It knows no network, no key and no clock; pkg/signing signs and verifies.
//
// What is sent is built member by member in the order of the vendor's pages. What is read is read leniently: members
// and enum values that this package does not know pass, because WeChat Pay adds both without notice.
//
// The pages: https://pay.weixin.qq.com/doc/v3/merchant/4012467254 (回复用户),
// https://pay.weixin.qq.com/doc/v3/merchant/4017151596 (回复需要即时服务的投诉单),
// https://pay.weixin.qq.com/doc/v3/merchant/4012533436 (查询投诉单详情),
// https://pay.weixin.qq.com/doc/v3/merchant/4012533439 (查询投诉单协商历史).
package wechatpay
