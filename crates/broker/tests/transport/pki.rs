//! Certificates for the tests: good ones, and each kind of bad one. All are made anew in every test.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams,
    SanType, SerialNumber, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

pub(crate) const PAYMENTS: &str = "spiffe://renkei.example/131016/benefits/system/payments";

/// The test's clock stands in the middle of 2026, for which everything is made unless a test says otherwise.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key.
pub(crate) struct Holder {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) chain_pem: String,
    key: KeyPair,
}

/// What a client's certificate says.
#[derive(Clone)]
pub(crate) struct Profile {
    pub(crate) serial: u8,
    pub(crate) uris: Vec<&'static str>,
    pub(crate) usage: ExtendedKeyUsagePurpose,
    pub(crate) years: (i32, i32),
}

impl Default for Profile {
    fn default() -> Self {
        let usage = ExtendedKeyUsagePurpose::ClientAuth;
        // A serial whose first bit is set, which DER writes with a zero before it.
        Self { serial: 201, uris: vec![PAYMENTS], usage, years: (2026, 2027) }
    }
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = params((2020, 2040));
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("it"))
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    pub(crate) fn client(&self, profile: &Profile) -> Holder {
        let mut params = params(profile.years);
        params.distinguished_name.push(DnType::CommonName, PAYMENTS);
        params.serial_number = Some(SerialNumber::from_slice(&[profile.serial]));
        params.extended_key_usages = vec![profile.usage.clone()];
        let uri = |uri: &&str| SanType::URI((*uri).try_into().expect("a URI"));
        params.subject_alt_names = profile.uris.iter().map(uri).collect();
        self.sign(&params)
    }

    pub(crate) fn server(&self) -> Holder {
        let mut params = params((2026, 2027));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.subject_alt_names = vec![SanType::DnsName("localhost".try_into().expect("a name"))];
        self.sign(&params)
    }

    /// The list of revoked serials, good until the end of 2026.
    pub(crate) fn crl(&self, revoked: &[u8]) -> String {
        let entry = |&serial: &u8| RevokedCertParams {
            serial_number: SerialNumber::from_slice(&[serial]),
            revocation_time: date_time_ymd(2026, 5, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 1, 1),
            next_update: date_time_ymd(2026, 12, 31),
            crl_number: SerialNumber::from_slice(&[1]),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.0).expect("a list").pem().expect("PEM")
    }

    fn sign(&self, params: &CertificateParams) -> Holder {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        Holder { chain: vec![certificate.der().clone()], chain_pem: certificate.pem(), key }
    }
}

impl Holder {
    pub(crate) fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    pub(crate) fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }
}

fn params((from, until): (i32, i32)) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    params
}
