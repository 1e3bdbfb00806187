"""Look-ups with ldap3 as its users write them: host, port, CA bundle, certificate, key; prints JSON."""

import json
import ssl
import sys

from ldap3 import ALL, ANONYMOUS, ASYNC, SUBTREE, BASE, Connection, Server, Tls

host, port, ca, certificate, key = sys.argv[1:6]
tls = Tls(
    local_private_key_file=key,
    local_certificate_file=certificate,
    validate=ssl.CERT_REQUIRED,
    ca_certs_file=ca,
)
server = Server(host, port=int(port), use_ssl=True, tls=tls, get_info=ALL, connect_timeout=5)
connection = Connection(server, auto_bind=True, authentication=ANONYMOUS, check_names=True, receive_timeout=10)
services = "ou=services,o=nhs"
structured = "urn:nhs:names:services:gpconnect:fhir:operation:gpc.getstructuredrecord-1"
visitors = "urn:nhs:names:services:visitorsandmigrants:fhir:rest:search:observation:1"


def entries(response):
    return [
        {"dn": each["dn"], **dict(each["attributes"])} for each in response if each["type"] == "searchResEntry"
    ]


def search(base, filter, attributes):
    # One shared connection, bound again before each search.
    connection.rebind(authentication=ANONYMOUS)
    connection.search(base, filter, SUBTREE, attributes=attributes)
    return entries(connection.response)


answers = {
    "A": search(
        services,
        f"(&(nhsMhsPartyKey=YES-0000806)(objectClass=nhsMhs)(nhsMhsSvcIA={visitors}))",
        ["nhsMhsEndPoint", "nhsMhsFQDN"],
    ),
    "B": search(
        services,
        f"(&(nhsIDCode=A99968)(objectClass=nhsAS)(nhsAsSvcIA={structured}))",
        ["uniqueIdentifier", "nhsMhsPartyKey", "nhsTempUid"],
    ),
    "C": search(
        services,
        f"(&(nhsIDCode=A99968) (objectClass=nhsMhs) (nhsMhsSvcIA={structured}))",
        ["nhsMhsEndPoint", "nhsMhsPartyKey", "nhsMhsManufacturerOrg"],
    ),
    "D": search(
        services,
        f"(&(nhsIDCode=X26)(objectClass=nhsAS)(nhsAsSvcIA={structured})(nhsMhsManufacturerOrg=Z9Z99))",
        ["uniqueIdentifier"],
    ),
    "E": search(
        "ou=organisations,o=nhs",
        "(uniqueidentifier=A99968)",
        ["nhsIDCode", "o", "postalAddress", "postalCode", "nhsOrgTypeCode"],
    ),
    "F": [each["dn"] for each in search("uid=111111111111,ou=people,o=nhs", "(objectclass=*)", ["*", "+"])],
    "G": [
        each["attributes"]["uniqueIdentifier"]
        for each in connection.extend.standard.paged_search(
            services,
            "(&(nhsAsSvcIA=urn:nhs:names:services:gpconnect*)(objectClass=nhsAs))",
            SUBTREE,
            attributes=["uniqueIdentifier"],
            paged_size=1,
            generator=True,
        )
    ],
}
unknown = False
try:
    connection.search(services, "(nosuch=1)", SUBTREE)
except Exception as refused:
    unknown = type(refused).__name__

side_by_side = Connection(server, auto_bind=True, client_strategy=ASYNC, receive_timeout=10)
ids = [
    side_by_side.search(services, f"(nhsIDCode={code})", SUBTREE, attributes=["nhsIDCode"])
    for code in ["YES", "X26", "A99968", "NONE"] * 25
]
parallel = [
    sorted({each["attributes"]["nhsIDCode"] for each in side_by_side.get_response(one)[0]}) for one in ids
]
side_by_side.unbind()

print(
    json.dumps(
        {
            "namingContexts": server.info.naming_contexts,
            "subschema": server.info.other.get("subschemaSubentry"),
            "single": server.schema.attribute_types["nhsIDCode"].single_value,
            "tempUid": "nhsTempUid" in server.schema.attribute_types,
            "answers": answers,
            "unknown": unknown,
            "parallel": parallel,
        },
        default=str,
    )
)
connection.unbind()
