import java.io.FileInputStream;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.Hashtable;
import java.util.List;
import javax.naming.Context;
import javax.naming.NamingEnumeration;
import javax.naming.directory.Attribute;
import javax.naming.directory.Attributes;
import javax.naming.directory.DirContext;
import javax.naming.directory.SearchControls;
import javax.naming.directory.SearchResult;
import javax.naming.ldap.Control;
import javax.naming.ldap.InitialLdapContext;
import javax.naming.ldap.LdapContext;
import javax.naming.ldap.PagedResultsControl;
import javax.naming.ldap.PagedResultsResponseControl;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** Look-ups with JNDI as its users write them: URL, CA bundle, PKCS #12 file, its password; prints a line each. */
public class Lookup {
  static LdapContext context;

  public static void main(String[] args) throws Exception {
    KeyStore own = KeyStore.getInstance("PKCS12");
    own.load(new FileInputStream(args[2]), args[3].toCharArray());
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(own, args[3].toCharArray());
    KeyStore issuers = KeyStore.getInstance(KeyStore.getDefaultType());
    issuers.load(null, null);
    int number = 0;
    for (Certificate each : CertificateFactory.getInstance("X.509").generateCertificates(new FileInputStream(args[1])))
      issuers.setCertificateEntry("ca" + number++, each);
    TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(issuers);
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
    SSLContext.setDefault(tls);

    Hashtable<String, String> environment = new Hashtable<>();
    environment.put(Context.INITIAL_CONTEXT_FACTORY, "com.sun.jndi.ldap.LdapCtxFactory");
    environment.put(Context.PROVIDER_URL, args[0]);
    environment.put(Context.SECURITY_AUTHENTICATION, "none");
    environment.put("com.sun.jndi.ldap.connect.timeout", "5000");
    environment.put("com.sun.jndi.ldap.read.timeout", "10000");
    context = new InitialLdapContext(environment, null);

    Attributes root = context.getAttributes("", new String[] {"namingContexts", "subschemaSubentry"});
    say("root", List.of(root.get("namingContexts").get().toString(), root.get("subschemaSubentry").get().toString()));
    DirContext schema = context.getSchema("o=nhs");
    Attributes definition = schema.getAttributes("AttributeDefinition/nhsTempUid");
    say("schema", List.of(definition.get("NAME").get().toString(), definition.get("SINGLE-VALUE").get().toString()));

    String structured = "urn:nhs:names:services:gpconnect:fhir:operation:gpc.getstructuredrecord-1";
    String visitors = "urn:nhs:names:services:visitorsandmigrants:fhir:rest:search:observation:1";
    String services = "ou=services, o=nhs";
    say("A", search(services, "(&(nhsMhsPartyKey=YES-0000806)(objectClass=nhsMhs)(nhsMhsSvcIA={0}))", visitors, "nhsMhsEndPoint"));
    say("B", search(services, "(&(nhsIDCode=A99968)(objectClass=nhsAS)(nhsAsSvcIA={0}))", structured, "uniqueIdentifier"));
    say("C", search(services, "(&(nhsIDCode=A99968)(objectClass=nhsMhs)(nhsMhsSvcIA={0}))", structured, "nhsMhsEndPoint"));
    say("D", search(services, "(&(nhsIDCode=X26)(nhsAsSvcIA={0})(nhsMhsManufacturerOrg=Z9Z99))", structured, "uniqueIdentifier"));
    say("E", search("ou=organisations, o=nhs", "(uniqueidentifier={0})", "A99968", "postalAddress"));
    say("F", search("uid=111111111111,ou=people,o=nhs", "(objectClass={0})", "nhsOrgPersonRole", "uniqueIdentifier"));

    List<String> paged = new ArrayList<>();
    byte[] cookie = null;
    do {
      context.setRequestControls(new Control[] {new PagedResultsControl(1, cookie, Control.CRITICAL)});
      paged.addAll(search(services, "(&(nhsAsSvcIA={0}*)(objectClass=nhsAs))", "urn:nhs:names:services:gpconnect", "uniqueIdentifier"));
      cookie = null;
      for (Control control : context.getResponseControls())
        if (control instanceof PagedResultsResponseControl page) cookie = page.getCookie();
    } while (cookie != null);
    say("G", paged);
    context.close();
  }

  static List<String> search(String base, String filter, String argument, String attribute) throws Exception {
    SearchControls controls = new SearchControls();
    controls.setSearchScope(SearchControls.SUBTREE_SCOPE);
    controls.setReturningAttributes(new String[] {attribute});
    List<String> found = new ArrayList<>();
    NamingEnumeration<SearchResult> results = context.search(base, filter, new Object[] {argument}, controls);
    while (results.hasMore()) {
      Attribute values = results.next().getAttributes().get(attribute);
      if (values != null) found.add(values.get().toString());
    }
    return found;
  }

  static void say(String what, List<String> values) {
    System.out.println(what + "\t" + String.join("\t", values));
  }
}
